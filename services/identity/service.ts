/** The identity service: contract, options, and how its parts are put together. */
import { join } from 'node:path'
import { andThen } from '@strata/toolkit/eventual'
import { createNotifier } from '@strata/toolkit/notifications'
import { compilePolicy } from '@strata/toolkit/policy'
import { defineService, type Operation, type ServiceInstance } from '@strata/toolkit/service'
import { type AfterCommit, openStore } from '@strata/toolkit/store'
import { type TokenVerifier, tokensChanged } from '@strata/toolkit/tokens'
import { applicationCredentialOperations } from './api/application-credentials.ts'
import { authOperations } from './api/auth.ts'
import { throughDirectories } from './api/directory.ts'
import { domainConfigOperations } from './api/domain-config.ts'
import { ec2Operations } from './api/ec2.ts'
import { endpointFilterOperations } from './api/endpoint-filters.ts'
import { federationOperations } from './api/federation.ts'
import { federationAuthOperations } from './api/federation-auth.ts'
import { grantOperations } from './api/grants.ts'
import { implicationOperations } from './api/implications.ts'
import { membershipOperations } from './api/memberships.ts'
import { oauth1Operations } from './api/oauth1.ts'
import { oauth2Operations } from './api/oauth2.ts'
import { policyOperations } from './api/policies.ts'
import { resourceOperations } from './api/resources.ts'
import { revocationOperations } from './api/revocations.ts'
import { roleAssignmentOperations } from './api/role-assignments.ts'
import { tagOperations } from './api/tags.ts'
import { withoutToken } from './api/tokenless.ts'
import { trustOperations } from './api/trusts.ts'
import { versionOperations } from './api/versions.ts'
import { identityConfig } from './contract/config.ts'
import { dialect } from './contract/errors.ts'
import { federationConfig, samlConfig } from './contract/federation-auth.ts'
import { policies } from './contract/policies.ts'
import { tokenlessConfig } from './contract/tokenless.ts'
import { ldapDriver } from './drivers/ldap/index.ts'
import { pamDriver } from './drivers/pam/index.ts'
import { type BootstrapPlan, bootstrap } from './logic/bootstrap.ts'
import { callersThumbprint } from './logic/client-certificate.ts'
import { createDirectories } from './logic/directory/directories.ts'
import { federatedLogins } from './logic/federation/configured.ts'
import { tellingOf, tellingOfLogins, tellOfDirectory, tellOfRows } from './logic/notices.ts'
import { notificationSinks } from './logic/notification-sinks.ts'
import type { Parts } from './logic/parts.ts'
import { refuseBadPattern } from './logic/password/change.ts'
import { enabledBy } from './logic/password/enabled.ts'
import { createPasswords } from './logic/password/hash.ts'
import { createThrottle } from './logic/password/throttle.ts'
import { createLoginMemory } from './logic/token/memory.ts'
import { createReceipts } from './logic/token/receipt.ts'
import { openRings } from './logic/token/rings.ts'
import { keepRotating } from './logic/token/rotation.ts'
import { createTokens } from './logic/token/tokens.ts'
import { createVault, rotateVault } from './logic/vault.ts'
import { migrations } from './store/migrations/index.ts'
import type { Tables } from './store/tables.ts'

export { changeKey, type KeyPlace, keyRingNames, type RingReport, reportKeys } from './logic/token/operate.ts'
export { migrations } from './store/migrations/index.ts'

export interface IdentityExtra {
  /** First-run resources, made or corrected before the service answers. */
  readonly bootstrap?: BootstrapPlan
}

export interface IdentityInstance extends ServiceInstance {
  /** How identity itself checks tokens: by its own logic, since it cannot ask identity. */
  readonly verifyToken: TokenVerifier
}

export const identity = defineService<IdentityExtra, IdentityInstance>({
  type: 'identity',
  config: [identityConfig, federationConfig, samlConfig, tokenlessConfig],
  async build(environment, extra) {
    const { runtime, bus, log } = environment
    const config = environment.config.section(identityConfig)
    refuseBadPattern(config)
    const rings = openRings({ folder: environment.stateDir('identity'), runtime, config })
    const vault = createVault({ keys: rings.credentials, runtime })
    const notifier = createNotifier<Tables>({
      ...{ runtime, log, service: 'identity', observer: { typeURI: 'service/security' } },
      store: await openStore<Tables>({ url: environment.databaseUrl('identity'), migrations }),
      sinks: notificationSinks(environment, config),
      host: config.default_publisher_id,
      format: config.notification_format,
      optOut: config.notification_opt_out,
    })
    const { store } = notifier
    const passwords = createPasswords({
      runtime,
      cost: config.password_hash_cost,
      remember: config.password_cache_seconds * 1000,
    })
    const isEnabled = enabledBy(config, runtime)
    const changed = (afterCommit: AfterCommit) =>
      afterCommit(() => {
        forget()
        bus.publish(tokensChanged, {})
      })
    const directories = createDirectories({
      store,
      vault,
      runtime,
      log,
      bus,
      drivers: { ldap: ldapDriver({ runtime }), ...(config.pam.socket !== '' && { pam: pamDriver(config.pam) }) },
      domains: config.domains,
      believe: config.directory_cache_seconds * 1000,
      changed,
    })
    const tokens = createTokens({
      store,
      directories,
      runtime,
      format: rings.format,
      isEnabled,
      lifetime: config.token_expiration * 1000,
      allowExpired: config.allow_expired_window * 1000,
      cacheFor: config.token_cache_seconds * 1000,
      membershipsFor: config.default_authorization_ttl,
    })
    const memory = createLoginMemory({ runtime, config })
    const forget = () => {
      tokens.forget()
      memory.forget()
      passwords.forget()
    }
    const parts: Parts = {
      store,
      runtime,
      config,
      passwords,
      tokens,
      memory,
      vault,
      receipts: createReceipts({ keys: rings.receipts, runtime, lifetime: config.receipt_expiration * 1000 }),
      throttle: createThrottle({
        runtime,
        perAccount: config.login_failures_per_account,
        perAddress: config.login_failures_per_address,
        inTurn: config.lockout_failure_attempts > 0,
      }),
      isEnabled,
      directories,
      changed,
    }
    // Another replica's changes are heard of on the bus.
    const unsubscribe = bus.subscribe(tokensChanged, forget)
    if (extra.bootstrap) await bootstrap(parts, extra.bootstrap)
    const logins = federatedLogins({
      parts,
      federation: environment.config.section(federationConfig),
      saml: environment.config.section(samlConfig),
      folder: join(environment.stateDir('identity'), 'saml'),
      publicUrl: extra.bootstrap?.publicUrl,
    })
    const stopRotating = [
      ...rings.changing.map(ring => keepRotating({ ...ring, runtime, log, everyHours: config.key_rotation_hours })),
      keepRotating({
        keys: rings.credentials,
        runtime,
        log,
        everyHours: config.credential_key_rotation_hours,
        purpose: 'credentials',
        rotate: () => rotateVault({ keys: rings.credentials, vault, store }),
      }),
    ]
    const policy = compilePolicy(policies, environment.policyOverrides('identity'))
    const tokenless = { policy, config: environment.config.section(tokenlessConfig) }
    const telling = (operations: readonly Operation[]) => tellingOfLogins(operations, { notifier, db: store.db })
    return {
      type: 'identity',
      dialect,
      policy,
      operations: withoutToken(
        parts,
        tokenless,
        throughDirectories({ ...parts, tell: tellOfDirectory(notifier) }, [
          ...versionOperations,
          ...telling(authOperations(parts)),
          ...notifier.during(
            [
              ...resourceOperations(parts, tellOfRows(notifier)),
              ...membershipOperations(parts),
              ...grantOperations(parts),
              ...implicationOperations(parts),
              ...roleAssignmentOperations(parts),
              ...tagOperations(parts),
              ...applicationCredentialOperations(parts),
              ...ec2Operations(parts),
              ...trustOperations(parts),
              ...oauth1Operations(parts),
              ...telling(oauth2Operations(parts)),
              ...revocationOperations(parts),
              ...policyOperations(parts),
              ...federationOperations(parts),
              ...telling(federationAuthOperations(parts, logins)),
              ...endpointFilterOperations(parts),
              ...domainConfigOperations(parts),
            ],
            tellingOf,
          ),
        ]),
      ),
      thumbprintOf: request => callersThumbprint(config, request),
      verifyToken: text => andThen(tokens.check(text), token => token?.info),
      async stop() {
        for (const stop of stopRotating) stop()
        unsubscribe()
        await directories.close()
        await notifier.stop()
        await store.close()
      },
    }
  },
})
