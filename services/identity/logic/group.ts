/** Groups and their members. */
import type { Hooks } from '@strata/toolkit/resource'
import { isoTime, toMicroseconds } from '@strata/toolkit/runtime'
import { missing } from '../contract/errors.ts'
import type { group } from '../contract/group.ts'
import { removeActor } from '../store/assignment.ts'
import { expiringMemberships } from '../store/expiring-membership.ts'
import { findDomain } from '../store/project.ts'
import {
  addMember,
  findGroup,
  findGroups,
  findUser,
  type GroupRow,
  groupIdsOf,
  isMember,
  membersOf,
  removeMember,
  type UserRow,
} from '../store/user.ts'
import { domainOf, domainOfTarget, listTarget, ofCallersDomain, partFilters } from './common.ts'
import { withoutGone } from './directory/gone.ts'
import { type Parts, validityOf } from './parts.ts'
import type { ExpiryFilter } from './rules/expiry-filter.ts'
import { shownUserRows } from './user.ts'

export function groupHooks(parts: Parts): Hooks<typeof group.fields> {
  return {
    tellsMissing: ['delete'],
    restrict: (context, verb) => [...ofCallersDomain('domain_id')(context, verb), ...withoutGone('user_groups', verb)],
    filters: partFilters('name'),
    target: (values, context) => ({
      target: { group: { ...values, domain_id: domainOfTarget(values, context) }, ...listTarget(context) },
    }),
    async beforeCreate(body, { tx, context }) {
      const domainId = body.domain_id ?? domainOf(context)
      if (!(await findDomain(tx, { id: domainId }))) throw missing('domain', domainId)
      return { domain_id: domainId, name: body.name.trim() }
    },
    async beforeDelete(row, { tx, afterCommit }) {
      await removeActor(tx, { type: 'group', id: row.id })
      parts.changed(afterCommit)
    },
  }
}

export interface Membership {
  readonly user: UserRow | undefined
  readonly group: GroupRow | undefined
}

export function membershipLogic(parts: Parts) {
  const { store } = parts
  return {
    find: async (userId: string, groupId: string): Promise<Membership> => ({
      user: await findUser(store.db, userId),
      group: await findGroup(store.db, groupId),
    }),
    has: (userId: string, groupId: string) => isMember(store.db, userId, groupId),
    add: (userId: string, groupId: string) =>
      store.transaction(async (tx, afterCommit) => {
        if (await addMember(tx, userId, groupId)) parts.changed(afterCommit)
      }),
    remove: (userId: string, groupId: string) =>
      store.transaction(async (tx, afterCommit) => {
        await removeMember(tx, userId, groupId)
        parts.changed(afterCommit)
      }),
    /** Of one domain alone, when it is given; a page of them, with the id after which the next begins. */
    async members(
      groupId: string,
      which: { expiry?: ExpiryFilter | undefined; domainId?: string; marker: string | undefined; limit: number },
    ) {
      const { expiry: expires, domainId, marker: after = '', limit } = which
      const rows = await membersOf(store.db, groupId, { expires, domainId, after, limit: limit + 1 })
      const page = rows.slice(0, limit)
      return { shown: await shownUserRows(parts, page), next: rows.length > limit ? page.at(-1)?.id : undefined }
    },
    /** Each with the time at which the membership ends, or null. */
    async groupsOf(userId: string, domainId?: string): Promise<object[]> {
      const permanent = await groupIdsOf(store.db, userId)
      const expiring = await expiringMemberships(store.db, { userId }, validityOf(parts))
      const ends = new Map(expiring.map(one => [one.group_id, toMicroseconds(isoTime(one.expires_at))]))
      for (const id of permanent) ends.delete(id)
      const rows = await findGroups(store.db, [...permanent, ...ends.keys()])
      const shown = rows.filter(row => !domainId || row.domain_id === domainId)
      return shown.map(row => ({
        ...row,
        membership_expires_at: ends.get(row.id) ?? null,
        extra: JSON.parse(row.extra ?? '{}'),
      }))
    },
  }
}
