/** Schemas of values that many of compute's bodies have, and readers of those that may come in several spellings. */
import type { JsonSchema } from '@strata/toolkit/schema'
import { invalidInput } from './errors.ts'

/** Names are printable, and neither begin nor end with a blank. */
export const name: JsonSchema = {
  type: 'string',
  minLength: 1,
  maxLength: 255,
  pattern: '^[^\\s\\x00-\\x1f\\x7f]([^\\x00-\\x1f\\x7f]*[^\\s\\x00-\\x1f\\x7f])?$',
}

export const largest = 2_147_483_647

/** A whole number, or its digits as text. What the digits say is checked by `readWhole`. */
export const whole = (minimum: number, maximum = largest): JsonSchema => ({
  type: ['integer', 'string'],
  minimum,
  maximum,
  pattern: minimum < 0 ? '^-?[0-9]+$' : '^[0-9]+$',
  maxLength: 20,
})

/** The number that a `whole` means. Throws a 400 that names the field. */
export function readWhole(field: string, value: number | string, minimum: number, maximum = largest): number {
  const number = Number(value)
  if (!Number.isInteger(number)) throw invalidInput(field, `${value} is not a whole number`)
  if (number < minimum) throw invalidInput(field, `${value} is less than the minimum of ${minimum}`)
  if (number > maximum) throw invalidInput(field, `${value} is greater than the maximum of ${maximum}`)
  return number
}

const yes = ['True', 'TRUE', 'true', '1', 'ON', 'On', 'on', 'YES', 'Yes', 'yes']
const no = ['False', 'FALSE', 'false', '0', 'OFF', 'Off', 'off', 'NO', 'No', 'no']

/** True and false, also by the words that OpenStack takes for them. */
export const flag: JsonSchema = { enum: [true, false, ...yes, ...no] }

/** What a `flag` means. */
export const readFlag = (value: boolean | string): boolean => value === true || yes.includes(value as string)

/** A body with one member that has these properties; nothing else is let in. */
export const envelope = (
  key: string,
  properties: Readonly<Record<string, JsonSchema>>,
  required: readonly string[] = [],
): JsonSchema => ({
  type: 'object',
  required: [key],
  additionalProperties: false,
  properties: { [key]: { type: 'object', properties, required, additionalProperties: false } },
})
