/**
 * What the first bytes of an image say about it, before any program that could be fooled looks at it. Pure.
 *
 * A qcow2 header may name other files of the host (a backing file, a data file): whoever opens such an image reads them.
 * And an image that is called raw but carries another format's header would become that format for a careless reader.
 *
 * Source: QEMU's `docs/interop/qcow2.txt`.
 */
export const headerBytes = 104

const magics: readonly { readonly format: string; readonly bytes: string }[] = [
  { format: 'qcow2', bytes: 'QFI\xfb' },
  { format: 'vmdk', bytes: 'KDMV' },
  { format: 'vmdk', bytes: 'COWD' },
  { format: 'vmdk', bytes: '# Disk DescriptorFile' },
  { format: 'vhdx', bytes: 'vhdxfile' },
  { format: 'vhd', bytes: 'conectix' },
  { format: 'qed', bytes: 'QED\0' },
  { format: 'parallels', bytes: 'WithoutFreeSpace' },
  { format: 'parallels', bytes: 'WithouFreSpacExt' },
]

const externalDataFile = 1n << 2n

/** The reason why an image of `format` with these first bytes is refused, as the end of "The image …"; else undefined. */
export function formatProblem(format: 'qcow2' | 'raw', header: Uint8Array): string | undefined {
  const text = Buffer.from(header).toString('latin1')
  const looksLike = magics.find(magic => text.startsWith(magic.bytes))?.format
  if (format === 'raw') return looksLike && `is said to be raw but is ${looksLike}`
  if (looksLike !== 'qcow2') return `is said to be qcow2 but is ${looksLike ?? 'not'}`
  if (header.length < headerBytes) return 'ends within its qcow2 header'
  return qcow2Problem(new DataView(header.buffer, header.byteOffset, header.byteLength))
}

function qcow2Problem(view: DataView): string | undefined {
  const version = view.getUint32(4)
  if (version !== 2 && version !== 3) return `is qcow2 of the unknown version ${version}`
  if (view.getBigUint64(8) !== 0n) return 'has a backing file, which is not allowed'
  if (view.getUint32(32) !== 0) return 'is encrypted, which is not supported'
  if (version === 3 && (view.getBigUint64(72) & externalDataFile) !== 0n)
    return 'has an external data file, which is not allowed'
  return undefined
}
