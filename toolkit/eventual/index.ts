/**
 * Values that are mostly there already: a token that was checked a moment ago, a row that SQLite gives at once. Waiting for
 * such a value costs more than finding it, so the layers through which every request goes wait only for what is to come.
 */
export type Eventual<T> = T | Promise<T>

/** Goes on with the value, now or when it comes. What `next` throws is thrown, or rejects the promise. */
export function andThen<T, R>(value: Eventual<T>, next: (value: T) => Eventual<R>): Eventual<R> {
  return value instanceof Promise ? value.then(next) : next(value)
}
