/** Consumers: their secret is made here, shown once, and kept encrypted. */
import type { Hooks } from '@strata/toolkit/resource'
import type { ApiRequest } from '@strata/toolkit/service'
import type { consumer } from '../../contract/consumer.ts'
import { invalid } from '../../contract/errors.ts'
import type { Parts } from '../parts.ts'
import { newSecret } from './secret.ts'

export function consumerHooks({ vault, runtime, tokens, changed }: Parts): Hooks<typeof consumer.fields> {
  const made = new WeakMap<ApiRequest, string>()
  return {
    restrict: () => [],
    decorate(rows, request) {
      const secret = made.get(request)
      return rows.map(({ sealed_secret: _, ...row }) => ({ ...row, ...(secret !== undefined && { secret }) }))
    },
    beforeCreate(_body, { request, given }) {
      const secret = newSecret(runtime)
      made.set(request, secret)
      const { secret: _, ...extra } = (given['extra'] ?? {}) as Readonly<Record<string, unknown>>
      return { sealed_secret: vault.seal(secret), extra }
    },
    beforeUpdate(_row, _body, { given }) {
      if (Object.keys(given).length === 0) throw invalid('consumer', 'must change something')
      if ('secret' in ((given['extra'] ?? {}) as object)) throw invalid('secret', 'cannot be changed')
      return {}
    },
    // Its tokens go with the row.
    async beforeDelete(row, { tx, afterCommit }) {
      await tokens.revoke(tx, { consumerId: row.id })
      changed(afterCommit)
    },
  }
}
