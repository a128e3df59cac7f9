/**
 * Request and response headers, and whole frames built on them.
 *
 * A request header is v1 (key, version, correlation id, client id), or v2 with a tag section from the API's first flexible version
 * on; the client id keeps its int16 length even there. A response header is v0 (correlation id), or v1 with a tag section for
 * flexible versions, except ApiVersions: always v0, so that a client can read it before it knows the broker.
 */
import { encodeInto } from './codec.ts'
import { Reader } from './reader.ts'
import type { Api, Encodable } from './schema.ts'
import { isInRange } from './schema.ts'
import { Writer } from './writer.ts'

const API_VERSIONS_KEY = 18

export interface RequestHeader {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  /** '' when the client sent null. */
  readonly clientId: string
  /** Where the body starts in the frame. */
  readonly bodyPosition: number
}

export interface ResponseHeader {
  readonly correlationId: number
  readonly bodyPosition: number
}

/** `frame` is without its size. Throws WireError only. */
export function decodeRequestHeader(frame: Buffer, isFlexible: (apiKey: number, apiVersion: number) => boolean): RequestHeader {
  const reader = new Reader(frame)
  const apiKey = reader.int16()
  const apiVersion = reader.int16()
  const correlationId = reader.int32()
  const clientId = reader.nullableString() ?? ''
  if (isFlexible(apiKey, apiVersion)) reader.skipTags()
  return { apiKey, apiVersion, correlationId, clientId, bodyPosition: reader.position }
}

export function encodeRequestHeader(writer: Writer, api: Api, header: Omit<RequestHeader, 'apiKey' | 'bodyPosition'>): void {
  writer.int16(api.key)
  writer.int16(header.apiVersion)
  writer.int32(header.correlationId)
  writer.nullableString(header.clientId)
  if (isFlexibleVersion(api, header.apiVersion)) writer.uvarint(0)
}

/** `frame` is without its size. Throws WireError only. */
export function decodeResponseHeader(frame: Buffer, api: Api, apiVersion: number): ResponseHeader {
  const reader = new Reader(frame)
  const correlationId = reader.int32()
  if (responseHeaderHasTags(api, apiVersion)) reader.skipTags()
  return { correlationId, bodyPosition: reader.position }
}

export function encodeResponseHeader(writer: Writer, api: Api, apiVersion: number, correlationId: number): void {
  writer.int32(correlationId)
  if (responseHeaderHasTags(api, apiVersion)) writer.uvarint(0)
}

/** Size, header and body of a request, as chunks to be written back to back. */
export function encodeRequestFrame<A extends Api>(
  api: A,
  header: { readonly apiVersion: number; readonly correlationId: number; readonly clientId: string },
  body: Encodable<A['request']>,
): Buffer[] {
  const writer = new Writer()
  writer.placeholderInt32()
  encodeRequestHeader(writer, api, header)
  encodeInto(writer, api.request, header.apiVersion, body)
  return sized(writer)
}

/** Size, header and body of a response, as chunks to be written back to back. */
export function encodeResponseFrame<A extends Api>(
  api: A,
  header: { readonly apiVersion: number; readonly correlationId: number },
  body: Encodable<A['response']>,
): Buffer[] {
  const writer = new Writer()
  writer.placeholderInt32()
  encodeResponseHeader(writer, api, header.apiVersion, header.correlationId)
  encodeInto(writer, api.response, header.apiVersion, body)
  return sized(writer)
}

function sized(writer: Writer): Buffer[] {
  writer.patchInt32(writer.size - 4)
  return writer.finish()
}

function responseHeaderHasTags(api: Api, apiVersion: number): boolean {
  return api.key !== API_VERSIONS_KEY && isFlexibleVersion(api, apiVersion)
}

function isFlexibleVersion(api: Api, apiVersion: number): boolean {
  return api.flexible !== 'none' && isInRange(api.flexible, apiVersion)
}
