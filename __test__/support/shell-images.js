/**
 * Images whose `sh` is another shell each, made of programs of this machine: Debian's dash and bash, and busybox, which
 * lends its other programs to all of them. They go straight into the node's containerd; nothing is pulled or pushed.
 */

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const shells = { dash: '/bin/dash', bash: '/bin/bash', busybox: undefined }

/**
 * @param {string} socket of the node's containerd
 * @returns {string[]} names of the images
 */
export function makeShellImages(socket) {
  return Object.entries(shells).map(([shell, program]) => makeImage(socket, `sh-${shell}`, program))
}

/**
 * An image whose `sh` no processor can execute.
 * @param {string} socket
 */
export const makeForeignImage = (socket) => makeImage(socket, 'sh-foreign', undefined, foreignProgram())

/** The header of a program for 64-bit ARM, and nothing behind it. */
function foreignProgram() {
  const elf = Buffer.alloc(4096)
  elf.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  elf.writeUInt16LE(2, 16) // an executable
  elf.writeUInt16LE(183, 18) // of AArch64
  elf.writeUInt32LE(1, 20)
  return elf
}

/**
 * @param {string} socket
 * @param {string} name
 * @param {string} [program] path of the shell; none: busybox
 * @param {Buffer} [sh] the shell itself
 */
function makeImage(socket, name, program, sh) {
  const image = `localhost/${name}:test`
  const libraries = program ? execFileSync('ldd', [program], { encoding: 'utf8' }).split(/\s+/).filter((word) => word.startsWith('/')) : []
  const own = program ? readFileSync(program) : sh
  const applets = execFileSync('/bin/busybox', ['--list'], { encoding: 'utf8' }).split('\n').filter((applet) => applet && !['busybox', 'sh', 'bash'].includes(applet))
  const layer = tar([
    ...['bin', 'etc', 'usr', 'usr/local', 'usr/local/bin'].map((path) => ({ path, mode: 0o755 })),
    { path: 'tmp', mode: 0o1777 },
    { path: 'bin/busybox', mode: 0o755, data: readFileSync('/bin/busybox') },
    ...applets.map((applet) => ({ path: `bin/${applet}`, mode: 0o777, link: 'busybox' })),
    ...[...new Set(libraries)].map((path) => ({ path: path.slice(1), mode: 0o755, data: readFileSync(path) })),
    own ? { path: 'bin/sh', mode: 0o755, data: own } : { path: 'bin/sh', mode: 0o777, link: 'busybox' },
    { path: 'etc/passwd', mode: 0o644, data: Buffer.from('root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/tmp:/bin/sh\n') },
  ])
  const layerId = sha256(layer)
  const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', config: { Env: ['PATH=/usr/local/bin:/bin'], Cmd: ['/bin/sh'] }, rootfs: { type: 'layers', diff_ids: [`sha256:${layerId}`] } }))
  const manifest = [{ Config: `${sha256(config)}.json`, RepoTags: [image], Layers: [`${layerId}/layer.tar`] }]
  const folder = mkdtempSync(join(tmpdir(), 'claude-k8s-image-'))
  const archive = join(folder, 'image.tar')
  writeFileSync(archive, tar([
    { path: `${sha256(config)}.json`, mode: 0o644, data: config },
    { path: `${layerId}/layer.tar`, mode: 0o644, data: layer },
    { path: 'manifest.json', mode: 0o644, data: Buffer.from(JSON.stringify(manifest)) },
  ]))
  execFileSync('ctr', ['--address', socket, '--namespace', 'k8s.io', 'images', 'import', archive])
  rmSync(folder, { recursive: true })
  return image
}

/** @param {Buffer} data */
const sha256 = (data) => createHash('sha256').update(data).digest('hex')

/** @param {{ path: string, mode: number, data?: Buffer, link?: string }[]} entries neither data nor link: a directory */
function tar(entries) {
  const blocks = entries.flatMap(({ path, mode, data, link }) => {
    const header = Buffer.alloc(512)
    const octal = (/** @type {number} */ value, /** @type {number} */ width) => `${value.toString(8).padStart(width - 1, '0')}\0`
    const kind = data ? '0' : link ? '2' : '5'
    header.write(path, 0)
    header.write(octal(mode, 8) + octal(0, 8) + octal(0, 8) + octal(data?.length ?? 0, 12) + octal(0, 12) + ' '.repeat(8) + kind, 100)
    header.write(link ?? '', 157)
    header.write('ustar\x0000', 257)
    header.write(octal(header.reduce((sum, byte) => sum + byte, 0), 7), 148)
    return [header, data ?? Buffer.alloc(0), Buffer.alloc(data ? -data.length & 511 : 0)]
  })
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}
