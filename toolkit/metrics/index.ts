/** Prometheus metrics: one registry a process, handed to each part; names follow Prometheus' own rules (`_total`, `_seconds`). */
import { Counter, collectDefaultMetrics, Gauge, Histogram, type Metric, Registry } from 'prom-client'
import { createLatency, type Latency } from './latency.ts'

export type { Latency } from './latency.ts'

export interface Metrics {
  readonly registry: Registry
  counter<const L extends string>(name: string, help: string, labels?: readonly L[]): Counter<L>
  gauge<const L extends string>(name: string, help: string, labels?: readonly L[]): Gauge<L>
  histogram<const L extends string>(name: string, help: string, labels?: readonly L[], buckets?: number[]): Histogram<L>
  /** A histogram of seconds for what happens very often. */
  latency<const L extends string>(name: string, help: string): Latency<L>
}

const latency = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** Milliseconds between two looks at the event loop's delay: at prom-client's own 10, they are most of what an idle cloud costs. */
const eventLoopMonitoringPrecision = 50

/** A metric asked for twice by the same name is the same metric. `processMetrics` adds memory, CPU and event loop figures. */
export function createMetrics(options: { processMetrics?: boolean } = {}): Metrics {
  const registry = new Registry()
  if (options.processMetrics) collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision })
  const known = <T>(name: string, make: () => T): T => (registry.getSingleMetric(name) as T | undefined) ?? make()
  return {
    registry,
    counter: <const L extends string>(name: string, help: string, labels: readonly L[] = []) =>
      known(name, () => new Counter<L>({ name, help, labelNames: [...labels], registers: [registry] })),
    gauge: <const L extends string>(name: string, help: string, labels: readonly L[] = []) =>
      known(name, () => new Gauge<L>({ name, help, labelNames: [...labels], registers: [registry] })),
    histogram: <const L extends string>(name: string, help: string, labels: readonly L[] = [], buckets = latency) =>
      known(name, () => new Histogram<L>({ name, help, labelNames: [...labels], buckets, registers: [registry] })),
    latency: <const L extends string>(name: string, help: string) =>
      known(name, () => {
        const made = createLatency<L>({ name, help, bounds: latency })
        // The registry asks of a metric only what this one has; its types ask for the classes of the library.
        registry.registerMetric(made as unknown as Metric)
        return made
      }),
  }
}
