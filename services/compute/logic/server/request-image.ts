/** What a server is asked to be made from: its image, and the data that its first boot reads. */
import { Buffer } from 'node:buffer'
import type { RequestContext } from '@strata/toolkit/context'
import { badRequest, forbidden } from '@strata/toolkit/fault'
import { imageNotActive, invalidInput } from '../../contract/errors.ts'
import type { CreateServer, RequestedDevice } from '../../contract/server-requests.ts'
import type { FlavorCopy } from '../../store/database.ts'
import type { CallerImage, CallerServices } from '../ports/caller.ts'

const noBlockStorage =
  'there is no block storage in this cloud: servers have the one local disk that their image becomes'

/** The image's id, from `imageRef` or from the one block device that says the same in more words. */
export function imageRefOf(wanted: CreateServer['server']): string {
  const devices = wanted.block_device_mapping_v2 ?? []
  const legacy = wanted.block_device_mapping ?? []
  if (legacy.length > 0 && devices.length > 0)
    throw badRequest('Using different block_device_mapping syntaxes is not allowed in the same request.')
  if (legacy.length > 0) throw badRequest(`Block Device Mapping is Invalid: ${noBlockStorage}`, 'InvalidBDM')
  const mapped = devices.map(imageOfDevice)
  if (mapped.length > 1)
    throw badRequest(`Block Device Mapping is Invalid: only one device is possible; ${noBlockStorage}`, 'InvalidBDM')
  const [device] = mapped
  if (device !== undefined && wanted.imageRef && wanted.imageRef !== device)
    throw badRequest(
      'Block Device Mapping is Invalid: Boot sequence for the instance and image/block device mapping combination is not valid.',
      'InvalidBDMBootSequence',
    )
  const ref = wanted.imageRef || device
  if (!ref) throw badRequest('Missing imageRef attribute')
  return ref
}

function imageOfDevice(device: RequestedDevice, index: number): string {
  const at = `block_device_mapping_v2.${index}`
  if (device.source_type !== 'image' || device.destination_type !== 'local')
    throw badRequest(
      `Block Device Mapping is Invalid: ${at} is not of source_type image and destination_type local; ${noBlockStorage}`,
      'InvalidBDM',
    )
  const id = device.uuid ?? device.image_id
  if (id === undefined) throw badRequest(`Block Device Mapping is Invalid: ${at}.uuid is missing`, 'InvalidBDMFormat')
  if (Number(device.boot_index ?? -1) !== 0)
    throw badRequest(
      'Block Device Mapping is Invalid: Boot sequence for the instance and image/block device mapping combination is not valid.',
      'InvalidBDMBootSequence',
    )
  return id
}

/** Throws a 400 when there is none that the caller may use. */
export async function imageOf(caller: CallerServices, id: string): Promise<CallerImage> {
  const image = await caller.image(id)
  if (!image) throw badRequest('Can not find requested image', 'ImageNotFound')
  return image
}

/** Whether the image is ready and fits the flavor. */
export function checkImage(context: RequestContext, image: CallerImage, flavor: FlavorCopy): void {
  if (image.status !== 'active') throw imageNotActive(image.id)
  if (flavor.ram < image.minRam)
    throw badRequest("Flavor's memory is too small for requested image.", 'FlavorMemoryTooSmall')
  if (flavor.disk === 0) {
    // The disk is then as large as the image, which no quota sees.
    if (!context.can('os_compute_api:servers:create:zero_disk_flavor'))
      throw forbidden(
        'Only volume-backed servers are allowed for flavors with zero disk.',
        'BootFromVolumeRequiredForZeroDiskFlavor',
      )
    return
  }
  const disk = flavor.disk * 1024 ** 3
  const size = image.virtualSize ?? image.size ?? 0
  if (size > disk)
    throw badRequest(
      `Flavor's disk is too small for requested image. Flavor disk is ${disk} bytes, image is ${size} bytes.`,
      'FlavorDiskSmallerThanImage',
    )
  if (image.minDisk > flavor.disk)
    throw badRequest(
      `Flavor's disk is smaller than the minimum size specified in image metadata. Flavor disk is ${disk} bytes, minimum size is ${image.minDisk * 1024 ** 3} bytes.`,
      'FlavorDiskSmallerThanMinDisk',
    )
}

/** Base64 whose letters are right can still be cut off. */
export function checkUserData(text: string | null | undefined): void {
  if (!text) return
  const plain = text.replace(/\s/g, '')
  if (plain.length % 4 !== 0 || Buffer.from(plain, 'base64').toString('base64') !== plain)
    throw invalidInput('user_data', `${JSON.stringify(text.slice(0, 40))} is not a 'base64'`)
}

/** Files to be put into the guest (until 2.56): better refused than left out. */
export function refuseFiles(files: readonly object[] | undefined): void {
  if (files && files.length > 0)
    throw invalidInput('personality', 'this cloud puts no files into guests; use user_data or a config drive')
}
