/** Since which minor there is what, for behaviours that are no attribute of a server or request. */
export const since = {
  ip6ForAll: 5,
  description: 19,
  deletedHistory: 21,
  serverTags: 26,
  networksRequired: 37,
  invalidStatusRefused: 38,
  actionEventsForAll: 51,
  rebuildShowsKey: 54,
  rebuildShowsUserData: 57,
  actionPaging: 58,
  eventHost: 62,
  changesBefore: 66,
  interfaceTag: 70,
  attachmentTag: 70,
  serverGroups: 71,
  lockReason: 73,
  strictQueries: 75,
  fullAnswers: 75,
  attachmentTermination: 79,
  filtersForAll: 83,
  eventDetails: 84,
  hostnameFilterForAll: 90,
} as const

/** Up to which minor there is what. */
export const until = {
  fixedIpActions: 43,
  floatingIpActions: 43,
  personality: 56,
} as const
