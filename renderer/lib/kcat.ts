/** A record as a command of kcat, ready for a POSIX shell. */

export function shellQuote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}

/** Prints exactly this record: partition, offset, time, headers, key and value. */
export function kcatReadCommand(place: { bootstrap: string; topic: string; partition: number; offset: number }): string {
  const format = String.raw`Partition %p offset %o at %T\nHeaders: %h\nKey: %k\nValue: %s\n`
  return `kcat -b ${shellQuote(place.bootstrap)} -C -t ${shellQuote(place.topic)} -p ${place.partition} -o ${place.offset} -c 1 -e -f '${format}'`
}
