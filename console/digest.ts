/** Writes the digest of the sources beside the build, so that a test sees without Node whether the build is theirs. */

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Plugin } from 'vite'

const PARTS = ['.npmrc', 'digest.ts', 'index.html', 'package-lock.json', 'package.json', 'public', 'src', 'tsconfig.json', 'vite.config.ts']

function filesIn(path: string): string[] {
  try {
    return readdirSync(path).flatMap((name) => filesIn(join(path, name)))
  } catch {
    return [path]
  }
}

/** SHA-256 over the paths and contents of the sources, in the order of their paths' bytes. */
export function digestOf(root: string): string {
  const hash = createHash('sha256')
  const paths = PARTS.flatMap((part) => filesIn(join(root, part))).map((path) => relative(root, path))
  for (const path of paths.sort()) hash.update(`${path}\0`).update(readFileSync(join(root, path))).update('\0')
  return hash.digest('hex')
}

export function digestPlugin(): Plugin {
  return {
    name: 'upwell-digest',
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: 'sources.sha256', source: `${digestOf(import.meta.dirname)}\n` })
    },
  }
}
