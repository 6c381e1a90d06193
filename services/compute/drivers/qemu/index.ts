/** The QEMU driver: a hypervisor that speaks QMP, and the image cache that its disks are based on. */
export { createQemuHypervisor, type QemuHypervisor, type QemuOptions } from './hypervisor.ts'
export { createImageCache, type ImageCacheOptions } from './image-cache.ts'
