/** `%(password)s` in an option's text stands for a sensitive option of its group. */
import { type DomainConfig, optionOf } from '../../contract/domain-config.ts'

/** `%%` is a percent sign; a reference to nothing stays as it is. */
export function substituted(config: DomainConfig): DomainConfig {
  return Object.fromEntries(
    Object.entries(config).map(([group, values]) => {
      const secret = (name: string) => (optionOf(group, name)?.sensitive ? values[name] : undefined)
      const filled = Object.entries(values).map(([name, value]) => [
        name,
        typeof value !== 'string' || optionOf(group, name)?.sensitive
          ? value
          : value.replace(/%(?:%|\((\w+)\)s)/g, (whole, reference: string | undefined) =>
              reference === undefined ? '%' : String(secret(reference) ?? whole),
            ),
      ])
      return [group, Object.fromEntries(filled)]
    }),
  )
}
