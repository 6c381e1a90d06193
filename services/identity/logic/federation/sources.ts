/**
 * Where assertions come from: for each identity provider and protocol one *source*, which sends callers there and believes (or
 * refuses) what they bring back. What is believed becomes a token in `login.ts`, which does not ask where it came from.
 */
import type { Log } from '@strata/toolkit/log'
import type { Reply } from '@strata/toolkit/service'
import type { Assertion } from '../../contract/mapping.ts'

export interface SourceRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly query: Readonly<Record<string, string | string[] | undefined>>
  /** Fields of a form, where one was sent. */
  readonly form: Readonly<Record<string, string>>
  /** The SOAP envelope that a program brought, where it did. */
  readonly envelope?: string
  /** IP address of the caller. */
  readonly clientAddress: string
  readonly log: Log
}

export interface Believed {
  readonly assertion: Assertion
  /** The dashboard that the login was begun for. */
  readonly origin?: string
  /** Of the answer that carries the token. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Either whom the caller is, or what it is to do next. */
export type Outcome = Believed | Reply

export interface AssertionSource {
  /** A program, at `…/identity_providers/{idp}/protocols/{protocol}/auth`. Throws a 401 for what is not believed. */
  atAuth(request: SourceRequest): Promise<Outcome>
  /**
   * A browser, at `…/websso`: on its way there, or back. `origin` gives the dashboard that the request names, to be asked by who
   * begins a login; it throws a 400 when there is none, a 401 when it is not trusted.
   */
  atWebsso(request: SourceRequest, origin: () => string): Promise<Outcome>
}

/** An identity provider and protocol, and where it is met. Addresses are those of the operator, never of a request's `Host`. */
export interface Place {
  readonly idpId: string
  readonly protocolId: string
  readonly authUrl: string
  readonly webssoUrl: string
  readonly metadataUrl: string
}

/** `base` is the service's public address: `https://cloud.example:5000/identity`. */
export function placeOf(base: string, idpId: string, protocolId: string): Place {
  const path = `identity_providers/${encodeURIComponent(idpId)}/protocols/${encodeURIComponent(protocolId)}`
  return {
    idpId,
    protocolId,
    authUrl: `${base}/v3/OS-FEDERATION/${path}/auth`,
    webssoUrl: `${base}/v3/auth/OS-FEDERATION/${path}/websso`,
    metadataUrl: `${base}/v3/OS-FEDERATION/${path}/saml2/metadata`,
  }
}
