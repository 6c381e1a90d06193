/** Paths below the service's root, for those who call it. */
const server = (id: string): string => `/v2.1/servers/${encodeURIComponent(id)}`

export const paths = {
  servers: '/v2.1/servers',
  serversDetail: '/v2.1/servers/detail',
  server,
  serverAction: (id: string): string => `${server(id)}/action`,
  serverMetadata: (id: string): string => `${server(id)}/metadata`,
  serverTags: (id: string): string => `${server(id)}/tags`,
  serverInterfaces: (id: string): string => `${server(id)}/os-interface`,
  serverActions: (id: string): string => `${server(id)}/os-instance-actions`,
} as const
