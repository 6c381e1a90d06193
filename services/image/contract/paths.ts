/** Paths below the service's root, for those who call it. */
const image = (id: string): string => `/v2/images/${encodeURIComponent(id)}`

export const paths = {
  images: '/v2/images',
  image,
  file: (id: string): string => `${image(id)}/file`,
  members: (id: string): string => `${image(id)}/members`,
  member: (id: string, project: string): string => `${image(id)}/members/${encodeURIComponent(project)}`,
  tag: (id: string, tag: string): string => `${image(id)}/tags/${encodeURIComponent(tag)}`,
} as const
