/** Quotas: names of what is limited, and which of them each version knows. */
import type { JsonSchema } from '@strata/toolkit/schema'
import { envelope, flag, whole } from './fields.ts'

export const quotaResources = [
  'instances',
  'cores',
  'ram',
  'fixed_ips',
  'floating_ips',
  'security_groups',
  'security_group_rules',
  'metadata_items',
  'injected_files',
  'injected_file_content_bytes',
  'injected_file_path_bytes',
  'key_pairs',
  'server_groups',
  'server_group_members',
] as const
export type QuotaResource = (typeof quotaResources)[number]
export type QuotaLimits = Readonly<Record<QuotaResource, number>>

const network: readonly string[] = ['fixed_ips', 'floating_ips', 'security_groups', 'security_group_rules']
const injected: readonly string[] = ['injected_files', 'injected_file_content_bytes', 'injected_file_path_bytes']
const groups: readonly string[] = ['server_groups', 'server_group_members']
const without = (...gone: (readonly string[])[]) => quotaResources.filter(name => !gone.flat().includes(name))

const all = without()
const since236 = without(network)
const since257 = without(network, injected)
const before250 = without(groups)

/** What a quota set holds in a version. */
export const quotasOf = (minor: number): readonly QuotaResource[] =>
  minor >= 57 ? since257 : minor >= 36 ? since236 : all

/** What a quota class holds in a version. */
export const classQuotasOf = (minor: number): readonly QuotaResource[] =>
  minor >= 57 ? since257 : minor >= 50 ? since236 : before250

const limit = whole(-1)
const limits = (names: readonly string[]): Readonly<Record<string, JsonSchema>> =>
  Object.fromEntries(names.map(name => [name, limit]))

const bySet = new Map(
  [all, since236, since257].map(names => [names, envelope('quota_set', { ...limits(names), force: flag })]),
)
export const quotaUpdate = (minor: number): JsonSchema => bySet.get(quotasOf(minor) as QuotaResource[])!

// Early versions take more in a class than they show.
const byClass = new Map([all, since236, since257].map(names => [names, envelope('quota_class_set', limits(names))]))
export const quotaClassUpdate = (minor: number): JsonSchema =>
  byClass.get(minor < 50 ? all : (classQuotasOf(minor) as QuotaResource[]))!

export type LimitsGiven = Readonly<Partial<Record<QuotaResource, number | string>>>
