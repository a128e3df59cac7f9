/** Settings of a topic or a broker, as the brokers describe them. */
import * as v from 'valibot'

export interface SettingView {
  /** As `retention.ms`. */
  readonly name: string
  /** The value in force; `null` when the broker hides it (a secret). */
  readonly value: string | null
  /** What applies when the topic has no value of its own; `null` when not known. */
  readonly defaultValue: string | null
  /** Where the value in force comes from. */
  readonly source: 'topic' | 'broker' | 'cluster-default' | 'broker-static' | 'default' | 'other'
  readonly type: 'boolean' | 'string' | 'int' | 'short' | 'long' | 'double' | 'list' | 'class' | 'password' | 'unknown'
  /** For people, in a sentence or two; `null` when the broker gives none. */
  readonly documentation: string | null
  /** What is accepted, in words (`at least 1`, `one of: delete, compact`); `null` when not known. */
  readonly allowed: string | null
  /** The closed list of values, for a menu; `null` when it is open. */
  readonly choices: readonly string[] | null
  /** How to show and edit the value: a duration, a size, a plain value. */
  readonly unit: 'ms' | 'bytes' | 'count' | 'ratio' | null
  readonly isReadOnly: boolean
}

export interface SettingChange {
  readonly name: string
  readonly before: string | null
  /** `null`: back to the default. */
  readonly after: string | null
}

/** What is wrong with one field of a form. */
export interface FieldProblem {
  /** `name`, `partitionCount`, `replicationFactor`, or a setting's name. */
  readonly field: string
  /** What is wrong and what is allowed: one sentence. */
  readonly message: string
}

export const settingChanges = v.pipe(
  v.array(
    v.object({
      name: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
      value: v.nullable(v.pipe(v.string(), v.maxLength(32_767))),
    }),
  ),
  v.minLength(1),
  v.maxLength(200),
)
