/** Rows of images with their properties and tags. */
import type { ImageFacts, ImageSettings, ImageStatus } from '../contract/image.ts'
import type { ImageDb, ImagesTable } from './database.ts'

export interface StoredImage extends ImageSettings, ImageFacts {
  /** Blob that holds the data; null while there is none. */
  readonly data_id: string | null
  /** Blob that is being written, staged or imported. */
  readonly upload_id: string | null
}

/** The image, or undefined. */
export async function getImage(db: ImageDb, id: string): Promise<StoredImage | undefined> {
  const row = await db.selectFrom('images').selectAll().where('id', '=', id).executeTakeFirst()
  return row && (await withDetails(db, [row]))[0]
}

/** Adds properties and tags to rows, in two queries however many rows there are. */
export async function withDetails(db: ImageDb, rows: readonly ImagesTable[]): Promise<readonly StoredImage[]> {
  if (rows.length === 0) return []
  const ids = rows.map(row => row.id)
  const properties = await db.selectFrom('image_properties').selectAll().where('image_id', 'in', ids).execute()
  const tags = await db.selectFrom('image_tags').selectAll().where('image_id', 'in', ids).orderBy('value').execute()
  const propertiesOf = Map.groupBy(properties, property => property.image_id)
  const tagsOf = Map.groupBy(tags, tag => tag.image_id)
  return rows.map(({ upload_holder: _holder, upload_lease: _lease, ...row }) => ({
    ...row,
    protected: row.protected === 1,
    os_hidden: row.os_hidden === 1,
    tags: (tagsOf.get(row.id) ?? []).map(tag => tag.value),
    properties: Object.fromEntries((propertiesOf.get(row.id) ?? []).map(({ name, value }) => [name, value])),
  }))
}

const flag = (value: boolean): number => (value ? 1 : 0)

export async function insertImage(tx: ImageDb, image: StoredImage): Promise<void> {
  const { properties, tags, ...row } = image
  await tx
    .insertInto('images')
    .values({
      ...row,
      protected: flag(image.protected),
      os_hidden: flag(image.os_hidden),
      upload_holder: null,
      upload_lease: null,
    })
    .execute()
  await insertTags(tx, image.id, tags)
  await insertProperties(tx, image.id, properties)
}

/** Writes what differs between `before` and `after`, and the time of the change. */
export async function saveSettings(
  tx: ImageDb,
  before: StoredImage,
  after: ImageSettings,
  updatedAt: string,
): Promise<void> {
  const { properties, tags, ...settings } = after
  const { id } = before
  await tx
    .updateTable('images')
    .set({
      name: settings.name,
      visibility: settings.visibility,
      protected: flag(settings.protected),
      os_hidden: flag(settings.os_hidden),
      owner: settings.owner,
      disk_format: settings.disk_format,
      container_format: settings.container_format,
      min_disk: settings.min_disk,
      min_ram: settings.min_ram,
      updated_at: updatedAt,
    })
    .where('id', '=', id)
    .execute()
  const gone = Object.entries(before.properties).filter(([name, value]) => properties[name] !== value)
  if (gone.length > 0)
    await tx
      .deleteFrom('image_properties')
      .where('image_id', '=', id)
      .where(
        'name',
        'in',
        gone.map(([name]) => name),
      )
      .execute()
  const fresh = Object.entries(properties).filter(([name, value]) => before.properties[name] !== value)
  await insertProperties(tx, id, Object.fromEntries(fresh))
  const untagged = before.tags.filter(tag => !tags.includes(tag))
  if (untagged.length > 0)
    await tx.deleteFrom('image_tags').where('image_id', '=', id).where('value', 'in', untagged).execute()
  await insertTags(
    tx,
    id,
    tags.filter(tag => !before.tags.includes(tag)),
  )
}

async function insertProperties(tx: ImageDb, id: string, properties: Readonly<Record<string, string>>): Promise<void> {
  const rows = Object.entries(properties).map(([name, value]) => ({ image_id: id, name, value }))
  if (rows.length > 0) await tx.insertInto('image_properties').values(rows).execute()
}

async function insertTags(tx: ImageDb, id: string, tags: readonly string[]): Promise<void> {
  const rows = [...new Set(tags)].map(value => ({ image_id: id, value }))
  if (rows.length > 0) await tx.insertInto('image_tags').values(rows).execute()
}

/** Moves an image from one status to another. False when it is no longer in the first: somebody was faster. */
export async function moveImage(
  db: ImageDb,
  move: {
    readonly id: string
    readonly from: ImageStatus
    /** The blob that must still be the one in the making. */
    readonly uploadId?: string
    readonly set: Partial<ImagesTable> & { readonly status: ImageStatus; readonly updated_at: string }
  },
): Promise<boolean> {
  let query = db.updateTable('images').set(move.set).where('id', '=', move.id).where('status', '=', move.from)
  if (move.uploadId !== undefined) query = query.where('upload_id', '=', move.uploadId)
  const { numUpdatedRows } = await query.executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Prolongs the lease of an upload. False when the upload is no longer the image's: it was deleted or taken over. */
export async function renewLease(db: ImageDb, id: string, uploadId: string, lease: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('images')
    .set({ upload_lease: lease })
    .where('id', '=', id)
    .where('upload_id', '=', uploadId)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Images in the middle of a transfer that nobody works on: out of lease, or left by `holder` before it was started anew. */
export async function abandonedTransfers(
  db: ImageDb,
  options: {
    readonly holder: string
    /** Earlier leases of the holder are from a life before this one. */
    readonly firstLease: string
    readonly now: string
  },
): Promise<readonly Pick<ImagesTable, 'id' | 'status' | 'upload_id'>[]> {
  return db
    .selectFrom('images')
    .select(['id', 'status', 'upload_id'])
    .where('upload_holder', 'is not', null)
    .where(where =>
      where.or([
        where('upload_lease', '<', options.now),
        where.and([where('upload_holder', '=', options.holder), where('upload_lease', '<', options.firstLease)]),
      ]),
    )
    .execute()
}

/** Ids of all blobs that images refer to. */
export async function referredBlobs(db: ImageDb): Promise<ReadonlySet<string>> {
  const rows = await db.selectFrom('images').select(['data_id', 'upload_id']).execute()
  return new Set(rows.flatMap(row => [row.data_id, row.upload_id]).filter(id => id !== null))
}

export async function deleteImage(tx: ImageDb, id: string): Promise<void> {
  await tx.deleteFrom('images').where('id', '=', id).execute()
}
