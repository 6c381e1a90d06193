/**
 * Browsers that log in for a dashboard: where they may be sent with their token, and the page that sends them there. A token goes to
 * the addresses that the operator trusts and nowhere else.
 */
import { createHash } from 'node:crypto'
import { badRequest, unauthorized } from '@strata/toolkit/fault'
import { type Reply, reply } from '@strata/toolkit/service'
import { type Xml, xml } from './saml/xml.ts'

/** The dashboard that a request names. Throws a 400 when it names none, a 401 for one that is not trusted, letter by letter. */
export function trustedOrigin(origin: string | string[] | undefined, trusted: readonly string[]): string {
  if (origin === undefined || origin === '') throw badRequest('Request must have an origin query parameter')
  if (typeof origin === 'string' && trusted.includes(origin)) return origin
  throw unauthorized('The origin of the request is not a trusted dashboard host.')
}

const submit = "document.forms['sso'].submit()"
const digest = createHash('sha256').update(submit).digest('base64')

/** A page that carries the token to the dashboard by a form, by itself or by one click where scripts are off. */
export function tokenPage(about: {
  readonly origin: string
  readonly token: string
  readonly headers?: Readonly<Record<string, string>>
}): Reply {
  const { origin, token, headers } = about
  const form = xml`<form id="sso" name="sso" action="${origin}" method="post"><p>You are logged in; one moment, please.</p><input type="hidden" name="token" id="token" value="${token}"/><noscript><button type="submit">Continue to the dashboard</button></noscript></form><script>${{ xml: submit }}</script>`
  const policy = `default-src 'none'; script-src 'sha256-${digest}'; form-action ${new URL(origin).origin}; base-uri 'none'; frame-ancestors 'none'`
  return page('Logging in', form, policy, headers)
}

/** Links to the identity providers that can be logged in at. */
export function choicePage(providers: readonly { readonly name: string; readonly url: string }[]): Reply {
  const items = providers.map(({ name, url }) => xml`<li><a href="${url}">${name}</a></li>`)
  const policy = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
  return page('Log in with', xml`<h1>Log in with</h1><ul>${items}</ul>`, policy)
}

function page(title: string, body: Xml, policy: string, headers: Readonly<Record<string, string>> = {}): Reply {
  const text = xml`<html lang="en"><head><meta charset="utf-8"/><title>${title}</title></head><body>${body}</body></html>`
  return reply(200, `<!DOCTYPE html>\n${text.xml}\n`, {
    ...headers,
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy,
    'cache-control': 'no-store',
    // Dashboards on the same host may learn from the referrer which cloud it was.
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  })
}
