/**
 * Durations counted into buckets: a Prometheus histogram for what happens at every request. prom-client's own looks its labels
 * up and checks them again at each observation, which costs more than the rest of what a small request needs.
 */
export interface Latency<L extends string> {
  /** What counts under these values of the labels; to be kept by who counts often. */
  labels(labels: Readonly<Record<L, string>>): { observe(seconds: number): void }
}

interface Series {
  readonly labels: Readonly<Record<string, string>>
  /** Observations by the first bound that they do not exceed; the last of them exceed all. */
  readonly counts: Float64Array
  sum: number
}

interface Value {
  readonly metricName: string
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
}

/** What a registry of prom-client asks of a metric. */
export interface Collected {
  readonly name: string
  get(): Promise<{
    readonly name: string
    readonly help: string
    readonly type: 'histogram'
    readonly aggregator: 'sum'
    readonly values: readonly Value[]
  }>
}

/** `bounds`: upper ends of the buckets in seconds, ascending. */
export function createLatency<L extends string>(options: {
  readonly name: string
  readonly help: string
  readonly bounds: readonly number[]
}): Latency<L> & Collected {
  const { name, help, bounds } = options
  const all = new Map<string, Series>()
  const seriesOf = (labels: Readonly<Record<string, string>>): Series => {
    const key = JSON.stringify(labels)
    const known = all.get(key)
    if (known) return known
    const made: Series = { labels, counts: new Float64Array(bounds.length + 1), sum: 0 }
    all.set(key, made)
    return made
  }
  return {
    name,
    labels(labels) {
      const series = seriesOf(labels)
      const { counts } = series
      return {
        observe(seconds) {
          let n = 0
          while (n < bounds.length && seconds > bounds[n]!) n++
          counts[n]! += 1
          series.sum += seconds
        },
      }
    },
    async get() {
      const values = [...all.values()].flatMap(series => valuesOf(name, bounds, series))
      return { name, help, type: 'histogram', aggregator: 'sum', values }
    },
  }
}

function valuesOf(name: string, bounds: readonly number[], { labels, counts, sum }: Series): Value[] {
  let total = 0
  const buckets = [...bounds, Number.POSITIVE_INFINITY].map((bound, n) => {
    total += counts[n]!
    const le = bound === Number.POSITIVE_INFINITY ? '+Inf' : bound
    return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: total }
  })
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: total },
  ]
}
