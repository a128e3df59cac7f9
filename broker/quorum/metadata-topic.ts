/** The metadata log as a partition: the names the quorum's requests carry, and its folder. */
export const METADATA_TOPIC = '__cluster_metadata'
/** The reserved id 0,1. */
export const METADATA_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'
export const METADATA_PARTITION = 0
