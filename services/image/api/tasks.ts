/** Tasks: how imports ended. They are made by imports alone. */
import { type Operation, operation } from '@strata/toolkit/service'
import type { ImageDeps } from '../logic/deps.ts'
import { parseLimit } from '../logic/rules/filters.ts'
import { importsOf, showTask, taskPage } from '../logic/task.ts'
import { pageLinks } from './links.ts'
import { taskStub, taskView } from './views.ts'

const text = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value.at(-1) : value)

export function taskOperations(deps: ImageDeps): readonly Operation[] {
  const { config } = deps
  return [
    operation({
      method: 'GET',
      path: '/v2/images/:image_id/tasks',
      handler: async ({ context, params }) => ({
        tasks: (await importsOf(deps, context, params['image_id']!.toLowerCase())).map(taskView),
      }),
    }),
    operation({
      method: 'GET',
      path: '/v2/tasks',
      policy: 'tasks_api_access',
      async handler({ query }) {
        const limit = parseLimit(text(query['limit']), {
          default: config.limit_param_default,
          max: config.api_limit_max,
        })
        const tasks = await taskPage(deps, {
          limit,
          marker: text(query['marker']),
          status: text(query['status']),
          type: text(query['type']),
        })
        const next = tasks.length > 0 && tasks.length === limit ? tasks.at(-1)?.id : undefined
        return { tasks: tasks.map(taskStub), ...pageLinks('/v2/tasks', query, next), schema: '/v2/schemas/tasks' }
      },
    }),
    operation({
      method: 'GET',
      path: '/v2/tasks/:task_id',
      policy: 'tasks_api_access',
      handler: async ({ params }) => taskView(await showTask(deps, params['task_id']!)),
    }),
  ]
}
