/** Who may do what, under OpenStack's names and with its defaults. */
import type { PolicyRule } from '@strata/toolkit/policy'

const ADMIN = 'rule:context_is_admin'
const MEMBER = `${ADMIN} or (role:member and project_id:%(project_id)s)`
const SEEN = [
  'project_id:%(project_id)s',
  'project_id:%(member_id)s',
  "'community':%(visibility)s",
  "'public':%(visibility)s",
  "'shared':%(visibility)s",
].join(' or ')
const MEMBERSHIP = `${ADMIN} or role:reader and (project_id:%(project_id)s or project_id:%(member_id)s)`

const projectRule = (name: string, check: string, description: string): PolicyRule => ({
  name,
  check,
  description,
  scopes: ['project'],
})

export const policies: readonly PolicyRule[] = [
  { name: 'default', check: '', description: 'Holds for everybody; other rules may refer to it.' },
  {
    name: 'context_is_admin',
    check: 'role:admin',
    description: 'Callers who see and change the images of all projects.',
  },
  { name: 'service_api', check: 'role:service or role:admin', description: 'Callers that are services of this cloud.' },
  projectRule(
    'add_image',
    `${ADMIN} or (role:member and project_id:%(project_id)s and project_id:%(owner)s)`,
    'Make an image; its owner is the caller’s own project.',
  ),
  projectRule('delete_image', MEMBER, 'Delete an image with its data.'),
  projectRule('get_image', `${ADMIN} or (role:reader and (${SEEN}))`, 'See an image.'),
  projectRule('get_images', `${ADMIN} or (role:reader and project_id:%(project_id)s)`, 'List images.'),
  projectRule('modify_image', MEMBER, 'Change attributes, properties and tags of an image, or stage its data.'),
  projectRule('publicize_image', ADMIN, 'Make an image public: seen by every project.'),
  projectRule('communitize_image', MEMBER, 'Make an image a community image: usable by all, listed only on demand.'),
  projectRule('download_image', `${ADMIN} or (role:member and (${SEEN}))`, 'Read the data of an image.'),
  projectRule('upload_image', MEMBER, 'Give an image its data.'),
  projectRule('delete_image_location', ADMIN, 'Take data of an image out of one store.'),
  projectRule('get_image_location', `${ADMIN} or (role:reader and project_id:%(project_id)s)`, 'See where data lies.'),
  projectRule('add_member', MEMBER, 'Offer a shared image to a project.'),
  projectRule('delete_member', MEMBER, 'Withdraw a shared image from a project.'),
  projectRule('get_member', MEMBERSHIP, 'See one member of a shared image.'),
  projectRule('get_members', MEMBERSHIP, 'List the members of a shared image.'),
  projectRule(
    'modify_member',
    `${ADMIN} or (role:member and project_id:%(member_id)s)`,
    'Accept or reject a shared image; for the member itself.',
  ),
  projectRule('deactivate', MEMBER, 'Stop an image from being downloaded.'),
  projectRule('reactivate', MEMBER, 'Let a deactivated image be downloaded again.'),
  projectRule('tasks_api_access', ADMIN, 'See the tasks of all images.'),
  projectRule('stores_info_detail', `${ADMIN} or rule:service_api`, 'See the stores with their particulars.'),
]
