/**
 * Failures of the placement API, each with the code by which clients tell conflicts that are worth a retry (someone else
 * was faster) from those that are not.
 */

import type { Dialect } from '@strata/toolkit/dialect'
import { placement } from '@strata/toolkit/dialect'
import { badRequest, conflict, Fault, notFound } from '@strata/toolkit/fault'

export const errorCodes = {
  unspecified: 'placement.undefined_code',
  inventoryInUse: 'placement.inventory.inuse',
  concurrentUpdate: 'placement.concurrent_update',
  duplicateName: 'placement.duplicate_name',
  providerInUse: 'placement.resource_provider.inuse',
  cannotDeleteParent: 'placement.resource_provider.cannot_delete_parent',
  providerNotFound: 'placement.resource_provider.not_found',
  duplicateQueryKey: 'placement.query.duplicate_key',
  badQueryValue: 'placement.query.bad_value',
  missingQueryValue: 'placement.query.missing_value',
} as const

/** The family's dialect; failures that the API has no code of their own for carry `placement.undefined_code` (from 1.23 on). */
export const dialect: Dialect = {
  ...placement,
  error: (fault, scene) =>
    placement.error(
      fault.code.startsWith('placement.')
        ? fault
        : new Fault({
            status: fault.status,
            code: errorCodes.unspecified,
            message: fault.message,
            headers: fault.headers,
            details: fault.details,
          }),
      scene,
    ),
}

/** 409: what the caller has seen is no longer so. Read again, then retry. */
export const concurrentUpdate = (message: string): Fault => conflict(message, errorCodes.concurrentUpdate)

export const providerGenerationConflict = (uuid: string, actual: number, given: number): Fault =>
  concurrentUpdate(`resource provider generation conflict for provider ${uuid}: actual: ${actual}, given: ${given}`)

export const consumerGenerationConflict = (uuid: string, actual: number | null, given: number | null): Fault =>
  concurrentUpdate(`consumer generation conflict - expected ${actual} but got ${given} for consumer ${uuid}`)

export const providerNotFound = (uuid: string): Fault => notFound(`No resource provider with uuid ${uuid} found`)

export const inventoryInUse = (classes: readonly string[], provider: string): Fault =>
  conflict(
    `update conflict: Inventory for '${classes.join(', ')}' on resource provider '${provider}' in use.`,
    errorCodes.inventoryInUse,
  )

/** `where` says what named it, with a colon at its end. */
export const unknownResourceClass = (name: string, where: string): Fault =>
  badRequest(`${where} No such resource class ${name}.`)

export const unknownTraits = (names: readonly string[]): Fault => badRequest(`No such trait(s): ${names.join(', ')}.`)

/** 409 without a code of its own: trying again with fresh generations would not help. */
export const cannotAllocate = (why: string): Fault => conflict(`Unable to allocate inventory: ${why}`)

export const badQuery = (message: string, code: string = errorCodes.unspecified): Fault => badRequest(message, code)
