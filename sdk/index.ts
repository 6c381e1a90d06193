/**
 * Typed clients of the services' public REST APIs, for services themselves, the operator's command and tests.
 *
 * Words: a *transport* carries one request (in this process straight into the other service's router, or over HTTP); a
 * *session* adds a token and gets a new one when it is about to end; a *client* is a session's view of one resource, with its
 * types taken from the resource's declaration.
 */

export { type Client, client } from './client.ts'
export { ApiError } from './errors.ts'
export { type ApiCall, type ApiResponse, type Credentials, createSession, type Session } from './session.ts'
export { httpTransport, routerTransport, type Transport } from './transport.ts'
