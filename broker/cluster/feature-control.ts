import { ErrorCode } from '../wire/errors.ts'
import { refusal, type Decision, type DecisionInput, type Refusal } from './decision.ts'
import { KRAFT_VERSION, METADATA_VERSION, supportedFeatures } from './features.ts'
import type { MetadataImage } from './image.ts'
import { featureLevelRecord, type MetadataRecord } from './metadata-records.ts'

export interface FeatureUpdate {
  readonly feature: string
  readonly level: number
  readonly upgradeType: number
}

/** Of UpdateFeatures v1+; v0's `allowDowngrade` means SAFE_DOWNGRADE. */
export const UpgradeType = { UPGRADE: 1, SAFE_DOWNGRADE: 2, UNSAFE_DOWNGRADE: 3 } as const

export interface FeatureAnswer {
  readonly overall: Refusal | { readonly errorCode: 0 }
  readonly results: readonly (Refusal | { readonly errorCode: 0 })[]
}

/** KIP-584: all updates take effect or none does. */
export function updateFeatures({ image }: DecisionInput, updates: readonly FeatureUpdate[]): Decision<FeatureAnswer> {
  const seen = new Set<string>()
  const results = updates.map((update) => {
    const isRepeated = seen.size === seen.add(update.feature).size
    if (isRepeated) return refusal(ErrorCode.INVALID_REQUEST, `Feature ${update.feature} appears more than once in the request.`)
    return updateRefusal(image, update) ?? ({ errorCode: 0 } as const)
  })
  const failed = results.find((result): result is Refusal => 'errorMessage' in result)
  if (failed !== undefined) {
    const overall = refusal(failed.errorCode, `The update failed for all features: ${failed.errorMessage}`)
    return { records: [], answer: { overall, results } }
  }
  const changed = updates.filter(({ feature, level }) => levelOf(image, feature) !== level)
  const records: MetadataRecord[] = changed.map(({ feature, level }) => featureLevelRecord(feature, level))
  return { records, answer: { overall: { errorCode: 0 }, results } }
}

function updateRefusal(image: MetadataImage, { feature, level, upgradeType }: FeatureUpdate): Refusal | null {
  const here = supportedFeatures.get(feature)
  if (here === undefined) return refusal(ErrorCode.INVALID_UPDATE_VERSION, `This cluster does not know the feature ${feature}.`)
  if (feature === KRAFT_VERSION) {
    return refusal(ErrorCode.INVALID_UPDATE_VERSION, `${KRAFT_VERSION} is set when the metadata log is formatted and cannot be changed.`)
  }
  if (level < 0 || (level === 0 && feature === METADATA_VERSION)) {
    return refusal(ErrorCode.INVALID_UPDATE_VERSION, `${feature} cannot be set to ${level}.`)
  }
  const current = levelOf(image, feature)
  if (level < current && upgradeType === UpgradeType.UPGRADE) {
    return refusal(
      ErrorCode.INVALID_UPDATE_VERSION,
      `${feature} is at ${current}; lowering it to ${level} must be asked for as a downgrade.`,
    )
  }
  if (upgradeType < UpgradeType.UPGRADE || upgradeType > UpgradeType.UNSAFE_DOWNGRADE) {
    return refusal(ErrorCode.INVALID_REQUEST, `${upgradeType} is no upgrade type; 1 upgrades, 2 and 3 downgrade.`)
  }
  const unable = level === 0 ? undefined : [...image.brokers.values()].find(({ features }) => !includes(features.get(feature), level))
  if (unable !== undefined) return refusal(ErrorCode.INVALID_UPDATE_VERSION, `Broker ${unable.id} does not support ${feature} ${level}.`)
  if (level !== 0 && !includes(here, level)) {
    return refusal(ErrorCode.INVALID_UPDATE_VERSION, `The controller supports ${feature} from ${here.min} to ${here.max}, not ${level}.`)
  }
  return null
}

function levelOf(image: MetadataImage, feature: string): number {
  return image.features.get(feature) ?? 0
}

function includes(range: { readonly min: number; readonly max: number } | undefined, level: number): boolean {
  return range !== undefined && range.min <= level && level <= range.max
}
