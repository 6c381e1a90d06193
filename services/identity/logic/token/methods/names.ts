/** The names of the methods by which one logs in; `index.ts` has what each does. */
import { type Method, methods } from '../../rules/token-payload.ts'

// A signature is checked for a service, not for who signed; a client of OAuth 2.0 logs in by an application credential.
const noLogins = ['ec2credential', 'oauth2_credential'] as const

export type LoginMethod = Exclude<Method, (typeof noLogins)[number]>

export const isLoginMethod = (method: string): method is LoginMethod =>
  methods.some(one => one === method) && !noLogins.some(one => one === method)
