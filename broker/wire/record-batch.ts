/**
 * Record batches: what producers send, logs store and consumers get. The bytes are passed through as they came; what is needed
 * of them is in these parts.
 */
export * from './batch-header.ts'
export { encodeBatch, type BatchToEncode, type RecordHeader, type RecordToEncode } from './batch-encoder.ts'
export { recordsIn, type RecordHeaderView, type RecordView } from './record-iterator.ts'
export { validateRecords, type RecordsFacts, type RecordsProblem } from './record-validation.ts'
