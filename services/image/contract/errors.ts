/** Failures of the service, each made in one place. Clients look for some of these words. */
import {
  badRequest,
  conflict,
  type Fault,
  forbidden,
  gone,
  notFound,
  tooLarge,
  unsupportedMediaType,
} from '@strata/toolkit/fault'
import type { ImageStatus } from './image.ts'

export const imageNotFound = (id: string): Fault => notFound(`No image found with ID ${id}`, 'ImageNotFound')

export const badTransition = (from: ImageStatus, to: ImageStatus): Fault =>
  conflict(`Image status transition from ${from} to ${to} is not allowed`, 'InvalidImageStatusTransition')

export const readOnly = (name: string): Fault => forbidden(`Attribute '${name}' is read-only.`, 'ReadonlyProperty')

export const reserved = (name: string): Fault => forbidden(`Attribute '${name}' is reserved.`, 'ReservedProperty')

export const imageProtected = (id: string): Fault =>
  forbidden(`Image ${id} is protected and cannot be deleted.`, 'ProtectedImageDelete')

export const duplicateImage = (id: string): Fault => conflict(`Image ID ${id} already exists!`, 'Duplicate')

export const goneDuringUpload = (id: string): Fault =>
  gone(`Image ${id} could not be found after upload. The image may have been deleted during the upload.`, 'ImageGone')

export const tooManyBytes = (limit: number): Fault =>
  tooLarge(`The incoming image is too large: the limit is ${limit} bytes.`, 'ImageSizeLimitExceeded')

export const storageFull = (detail: string): Fault => tooLarge(`Image storage media is full: ${detail}`, 'StorageFull')

/** `cause` is what the source of the data said of it. */
export const uploadCutOff = (cause?: unknown): Fault =>
  badRequest('The data ended before all of it had come.', 'UploadInterrupted', { cause })

/** The data is not what `disk_format` says, or is not safe to use. */
export const badImageData = (why: string): Fault => unsupportedMediaType(why, 'InvalidImageData')

export const quotaExceeded = (what: string, limit: number, attempted: number): Fault =>
  tooLarge(
    `The limit has been exceeded on the number of allowed image ${what}. Attempted: ${attempted}, Maximum: ${limit}`,
  )
