/** The states in which the gallery shows every page. */
export const scenes = ['populated', 'empty', 'loading', 'error', 'disconnected', 'worst'] as const
export type Scene = (typeof scenes)[number]

export function isScene(text: string): text is Scene {
  return scenes.some((scene) => scene === text)
}

export const sceneHints: Readonly<Record<Scene, string>> = {
  populated: 'A cluster of three brokers with the sample and a few services.',
  empty: 'A cluster that has just been started.',
  loading: 'Nothing has answered yet.',
  error: 'Every question about the cluster fails.',
  disconnected: 'The window has lost its host; the last state stays.',
  worst: '10,000 topics, names of 249 characters, hostile text, a 1 MiB value, a dead broker.',
}
