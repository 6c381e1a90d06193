/** Names of SAML 2.0 and what it stands on: namespaces, bindings, algorithms. */
export const ns = {
  assertion: 'urn:oasis:names:tc:SAML:2.0:assertion',
  protocol: 'urn:oasis:names:tc:SAML:2.0:protocol',
  metadata: 'urn:oasis:names:tc:SAML:2.0:metadata',
  ecp: 'urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp',
  paos: 'urn:liberty:paos:2003-08',
  soap: 'http://schemas.xmlsoap.org/soap/envelope/',
  signature: 'http://www.w3.org/2000/09/xmldsig#',
  encryption: 'http://www.w3.org/2001/04/xmlenc#',
} as const

export const bindings = {
  redirect: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect',
  post: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST',
  paos: 'urn:oasis:names:tc:SAML:2.0:bindings:PAOS',
  uri: 'urn:oasis:names:tc:SAML:2.0:bindings:URI',
} as const

export const success = 'urn:oasis:names:tc:SAML:2.0:status:Success'
export const bearer = 'urn:oasis:names:tc:SAML:2.0:cm:bearer'
export const rsaSha256 = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256'
export const sha256 = 'http://www.w3.org/2001/04/xmlenc#sha256'
export const exclusiveC14n = 'http://www.w3.org/2001/10/xml-exc-c14n#'
export const enveloped = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature'

/** Media type of SOAP messages that go through a client (the reverse binding of SOAP, PAOS). */
export const paosType = 'application/vnd.paos+xml'
