/**
 * What the service asks of a place that keeps image data.
 *
 * A *blob* is the data of one upload. Its id is a UUID that the service chooses and writes into its database before the
 * first byte is written, so that a blob whose id no image refers to is left over and may go.
 */
import type { Readable } from 'node:stream'

export interface BlobWriter {
  /** Resolves once the bytes are handed to the store; the chunk may be reused then. */
  write(chunk: Uint8Array): Promise<void>
  /** Makes the blob whole and readable. Rejects when it is gone meanwhile. */
  commit(): Promise<void>
  /** Removes what was written. Never rejects. */
  abort(): Promise<void>
}

/** Rejections are Faults where the caller can do something about them (`storageFull`), plain errors otherwise. */
export interface ImageStore {
  /** Name of the store in the API. */
  readonly id: string
  /** `file`, `rbd`, `s3`, … */
  readonly type: string
  readonly description: string
  /** Rejects with a 413 when `expectedBytes` are known and do not fit. */
  write(id: string, expectedBytes: number | undefined): Promise<BlobWriter>
  /** Bytes `start` to `end`, both included. Resolves once the blob is open: what is removed later can be read to its end. */
  read(id: string, range?: { readonly start: number; readonly end: number }): Promise<Readable>
  /** Removes a blob, whole or not; one that does not exist is removed already. */
  remove(id: string): Promise<void>
  /** Ids of all blobs, whole or not. */
  list(): Promise<readonly string[]>
  /** What keeps it from taking more data; empty when nothing does. */
  problems(): Promise<readonly string[]>
  /** What an operator may want to know. */
  details(): Readonly<Record<string, unknown>>
}
