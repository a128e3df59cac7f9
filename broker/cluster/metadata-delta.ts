import type { ConfigResourceType, MetadataImage, TopicImage } from './image.ts'

/** What lies between two images, so that nobody has to compare forty thousand partitions to find the one that changed. */
export interface MetadataDelta {
  readonly before: MetadataImage
  readonly after: MetadataImage
  /** Ids of topics that did not exist before. */
  readonly createdTopics: ReadonlySet<string>
  /** Topics that exist no more, as they last were. */
  readonly deletedTopics: readonly TopicImage[]
  /** Topic id -> partitions that are new or differ, created topics included. Their states are in the images. */
  readonly changedPartitions: ReadonlyMap<string, ReadonlySet<number>>
  /** Brokers registered, unregistered, fenced, unfenced or shutting down. */
  readonly changedBrokers: ReadonlySet<number>
  readonly changedConfigs: readonly { readonly resourceType: ConfigResourceType; readonly name: string }[]
  readonly featuresChanged: boolean
}
