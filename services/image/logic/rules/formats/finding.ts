/** What a format's own look at the data found. */
export interface Finding {
  readonly format: string
  /** Bytes of the disk inside; unset when the format does not say. */
  readonly virtualSize?: number
  /** Why it must not be used, to be read after the format's name. */
  readonly unsafe?: string
}
