/** SOAP envelopes that bring a response of an identity provider through a program (ECP, PAOS binding). */
import { ns } from './names.ts'
import { child, isElement, parseXml, refuse, requireChild, textOf, type XmlElement, xml } from './xml.ts'

export interface Delivery {
  /** In the document of the envelope: that is where its signatures are checked. */
  readonly response: XmlElement
  readonly relayState?: string
}

/** Throws `SamlError`. */
export function openEnvelope(text: string): Delivery {
  const envelope = parseXml(text)
  if (!isElement(envelope, ns.soap, 'Envelope')) refuse('the message is no SOAP envelope')
  const header = child(envelope, ns.soap, 'Header')
  const relayState = header && child(header, ns.ecp, 'RelayState')
  const body = requireChild(envelope, ns.soap, 'Body')
  if (child(body, ns.soap, 'Fault')) refuse('the identity provider, or the program, sent a fault')
  return {
    response: requireChild(body, ns.protocol, 'Response'),
    ...(relayState && { relayState: textOf(relayState) }),
  }
}

/** The envelope in which this cloud, as an identity provider, hands out a response. */
export function ecpResponse(about: {
  readonly response: string
  readonly relayState: string
  readonly consumerUrl: string
}): string {
  return xml`<S:Envelope xmlns:S="${ns.soap}"><S:Header><ecp:RelayState xmlns:ecp="${ns.ecp}" S:mustUnderstand="1" S:actor="http://schemas.xmlsoap.org/soap/actor/next">${about.relayState}</ecp:RelayState><ecp:Response xmlns:ecp="${ns.ecp}" S:mustUnderstand="1" S:actor="http://schemas.xmlsoap.org/soap/actor/next" AssertionConsumerServiceURL="${about.consumerUrl}"/></S:Header><S:Body>${{ xml: about.response }}</S:Body></S:Envelope>`
    .xml
}
