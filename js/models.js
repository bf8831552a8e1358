/**
 * Model ids for the picker. Data, not a rule: any id is accepted at run time (CFG-12). Review at each release.
 */

/**
 * @param {Record<string, string>} labels
 * @returns {import('@paperclipai/adapter-utils').AdapterModel[]}
 */
const list = (labels) => Object.entries(labels).map(([id, label]) => ({ id, label }))

/** Ids of the Anthropic API. */
export const models = list({
  'claude-opus-5': 'Claude Opus 5',
  'claude-sonnet-5': 'Claude Sonnet 5',
  'claude-opus-4-8': 'Claude Opus 4.8',
  'claude-opus-4-7': 'Claude Opus 4.7',
  'claude-opus-4-6': 'Claude Opus 4.6',
  'claude-sonnet-4-6': 'Claude Sonnet 4.6',
  'claude-sonnet-4-5-20250929': 'Claude Sonnet 4.5 (2025-09-29)',
  'claude-haiku-4-5-20251001': 'Claude Haiku 4.5 (2025-10-01)',
  'claude-fable-5-1': 'Claude Fable 5.1',
  'claude-fable-5': 'Claude Fable 5',
  'claude-mythos-5': 'Claude Mythos 5',
  'claude-sonnet-4-5': 'Claude Sonnet 4.5',
  'claude-haiku-4-5': 'Claude Haiku 4.5',
})

/** Inference profiles of Amazon Bedrock. */
export const bedrockModels = list({
  'us.anthropic.claude-opus-4-8-v1': 'Bedrock Claude Opus 4.8',
  'us.anthropic.claude-opus-4-7': 'Bedrock Claude Opus 4.7',
  'us.anthropic.claude-opus-4-6-v1': 'Bedrock Claude Opus 4.6',
  'us.anthropic.claude-sonnet-4-6': 'Bedrock Claude Sonnet 4.6',
  'us.anthropic.claude-sonnet-4-5-20250929-v1:0': 'Bedrock Claude Sonnet 4.5',
  'us.anthropic.claude-haiku-4-5-20251001-v1:0': 'Bedrock Claude Haiku 4.5',
})

/**
 * The list that fits the environment of the host process, as the host's own Claude adapter decides it.
 * @param {NodeJS.ProcessEnv} environment
 */
export async function listModels(environment = process.env) {
  const flag = environment['CLAUDE_CODE_USE_BEDROCK']
  const bedrock = flag === '1' || flag === 'true' || Boolean(environment['ANTHROPIC_BEDROCK_BASE_URL']?.trim())
  return bedrock ? bedrockModels : models
}
