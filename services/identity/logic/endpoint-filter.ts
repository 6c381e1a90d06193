/** Endpoints and groups of endpoints, given to projects and taken from them. */
import { type Hooks, repository } from '@strata/toolkit/resource'
import type { AfterCommit } from '@strata/toolkit/store'
import { endpoint } from '../contract/catalog.ts'
import { endpointGroup } from '../contract/endpoint-group.ts'
import { missing } from '../contract/errors.ts'
import {
  addProjectEndpoint,
  addProjectEndpointGroup,
  findEndpointGroup,
  projectEndpointGroups,
  projectEndpoints,
  removeProjectEndpoint,
  removeProjectEndpointGroup,
} from '../store/endpoint-filter.ts'
import { findProject, findProjects } from '../store/project.ts'
import type { Db } from '../store/tables.ts'
import { filterSource } from './filter-source.ts'
import type { Parts } from './parts.ts'
import { shownProjects } from './project.ts'
import { givenEndpoints, matching } from './rules/endpoint-filter.ts'

export function endpointGroupHooks(parts: Parts): Hooks<typeof endpointGroup.fields> {
  const changed = ({ afterCommit }: { readonly afterCommit: AfterCommit }) => parts.changed(afterCommit)
  return {
    afterUpdate: (_row, _before, scene) => changed(scene),
    afterDelete: (_row, scene) => changed(scene),
  }
}

export function endpointFilterLogic(parts: Parts) {
  const { db } = parts.store
  const endpoints = repository(endpoint)
  const groups = repository(endpointGroup)
  const mustExist = async (kind: 'project' | 'endpoint' | 'endpoint_group', id: string) => {
    const found =
      kind === 'project'
        ? await findProject(db, id)
        : kind === 'endpoint'
          ? await endpoints.find(db, id)
          : await findEndpointGroup(db, id)
    if (!found) throw missing(kind, id)
  }
  const change = (work: (tx: Db) => Promise<void>) =>
    parts.store.transaction(async (tx, afterCommit) => {
      await work(tx)
      parts.changed(afterCommit)
    })
  const projectsBy = async (ids: readonly string[]) => shownProjects(db, await findProjects(db, ids))
  const shown = (rows: Awaited<ReturnType<typeof endpoints.list>>) =>
    rows.map(row => ({ ...row, region: row.region_id }))
  return {
    async endpointsOfProject(projectId: string) {
      await mustExist('project', projectId)
      return shown(givenEndpoints(await filterSource(db, await endpoints.list(db)), projectId) ?? [])
    },
    async projectsOfEndpoint(endpointId: string) {
      await mustExist('endpoint', endpointId)
      return projectsBy((await projectEndpoints(db, { endpoint_id: endpointId })).map(row => row.project_id))
    },
    async groupsOfProject(projectId: string) {
      await mustExist('project', projectId)
      const rows = await projectEndpointGroups(db, { project_id: projectId })
      return groups.list(db, { where: { id: rows.map(row => row.endpoint_group_id) } })
    },
    async endpointsOfGroup(groupId: string) {
      const group = await groups.find(db, groupId)
      if (!group) throw missing('endpoint_group', groupId)
      return shown(matching(await endpoints.list(db), group.filters))
    },
    async projectsOfGroup(groupId: string) {
      await mustExist('endpoint_group', groupId)
      const rows = await projectEndpointGroups(db, { endpoint_group_id: groupId })
      return projectsBy(rows.map(row => row.project_id))
    },
    /** Throws a 404 unless the project was given the endpoint itself. */
    async checkEndpoint(projectId: string, endpointId: string): Promise<void> {
      const row = { project_id: projectId, endpoint_id: endpointId }
      if ((await projectEndpoints(db, row)).length === 0) throw missing('endpoint', endpointId)
    },
    async addEndpoint(projectId: string, endpointId: string): Promise<void> {
      await mustExist('project', projectId)
      await mustExist('endpoint', endpointId)
      const row = { project_id: projectId, endpoint_id: endpointId }
      if ((await projectEndpoints(db, row)).length === 0) await change(tx => addProjectEndpoint(tx, row))
    },
    async removeEndpoint(projectId: string, endpointId: string): Promise<void> {
      await this.checkEndpoint(projectId, endpointId)
      await change(tx => removeProjectEndpoint(tx, { project_id: projectId, endpoint_id: endpointId }))
    },
    /** The group; throws a 404 unless the project was given it. */
    async checkGroup(projectId: string, groupId: string) {
      const rows = await projectEndpointGroups(db, { project_id: projectId, endpoint_group_id: groupId })
      const group = rows.length > 0 ? await groups.find(db, groupId) : undefined
      if (!group) throw missing('endpoint_group', groupId)
      return group
    },
    async addGroup(projectId: string, groupId: string): Promise<void> {
      await mustExist('endpoint_group', groupId)
      await mustExist('project', projectId)
      const row = { project_id: projectId, endpoint_group_id: groupId }
      if ((await projectEndpointGroups(db, row)).length === 0) await change(tx => addProjectEndpointGroup(tx, row))
    },
    async removeGroup(projectId: string, groupId: string): Promise<void> {
      await this.checkGroup(projectId, groupId)
      await change(tx => removeProjectEndpointGroup(tx, { project_id: projectId, endpoint_group_id: groupId }))
    },
  }
}
