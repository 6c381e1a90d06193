/** Asks a running server how it is: `GET /healthz`, 200 when every service answers, 503 before and while it is not so. */

/** `detail` says why something is not ready, in one sentence. */
export interface Part {
  readonly status: string
  readonly detail?: string
  readonly details?: {
    /** Long operations under way. */
    readonly sagas?: { readonly unfinished: number; readonly oldestMs: number }
  }
}

export interface Health {
  readonly status: 'starting' | 'ready' | 'degraded' | 'stopping'
  readonly version?: string
  /** By service type. */
  readonly services: Readonly<Record<string, Part>>
  /** What does the work: `{ hypervisor: 'qemu 7.2 (tcg)', network: 'ovn 23.03', state: 'sqlite' }`. */
  readonly engines?: Readonly<Record<string, string>>
  /** What of that does not work, each in a sentence. */
  readonly problems?: readonly string[]
  readonly guests?: { readonly running: number; readonly total: number }
}

/** The answer, or undefined when nobody answers, or what answers is no Strata. */
export async function askHealth(url: string, timeoutMs = 2_000): Promise<Health | undefined> {
  try {
    const response = await fetch(new URL('/healthz', url), { signal: AbortSignal.timeout(timeoutMs) })
    const body: unknown = await response.json()
    return isHealth(body) ? body : undefined
  } catch {
    return
  }
}

function isHealth(body: unknown): body is Health {
  const { status, services } = (body ?? {}) as { status?: unknown; services?: unknown }
  return typeof status === 'string' && typeof services === 'object' && services !== null
}
