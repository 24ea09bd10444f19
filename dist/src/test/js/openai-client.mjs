// Checks a running server with OpenAI's own client for Node.
// Usage: TANDEM_NPM=FOLDER node openai-client.mjs URL, where FOLDER/node_modules holds the package.
// Prints one line per check, "ok NAME" or "FAILED NAME: why"; exit code 1 when one failed.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const OpenAI = createRequire(join(process.env.TANDEM_NPM, 'x.js'))('openai');
const client = new OpenAI({ baseURL: process.argv[2] + '/v1', apiKey: 'unused', maxRetries: 0, timeout: 60_000 });
const model = 'tandem-tiny';
const answer = '007+008: 7+8+0=15, 0+0+1=01, 0+0+0=00. The answer is 15.';
const usage = { prompt_tokens: 16, completion_tokens: 46, total_tokens: 62 };
const question = 'Add 7 and 8.';
const chat = { model, messages: [{ role: 'user', content: question }], temperature: 0 };
const completion = {
  model,
  prompt: `<|im_start|>user\n${question}<|im_end|>\n<|im_start|>assistant\n`,
  max_tokens: 100,
  temperature: 0,
};

let failed = 0;
async function check(name, body) {
  try {
    await body();
    console.log(`ok ${name}`);
  } catch (e) {
    failed++;
    console.log(`FAILED ${name}: ${String(e.message).replaceAll('\n', ' ')}`);
  }
}

async function collect(stream) {
  const chunks = [];
  for await (const chunk of stream) {
    chunks.push(chunk);
  }
  return chunks;
}

function assertUsage(actual, expected = usage) {
  const { prompt_tokens, completion_tokens, total_tokens } = actual;
  assert.deepEqual({ prompt_tokens, completion_tokens, total_tokens }, expected);
}

await check('models', async () => {
  const models = await collect(await client.models.list());
  assert.deepEqual(models.map((each) => [each.id, each.object]), [[model, 'model']]);
  assert.deepEqual(await client.models.retrieve(model), models[0]);
});

await check('chat', async () => {
  const got = await client.chat.completions.create(chat);
  assert.equal(got.object, 'chat.completion');
  assert.equal(got.model, model);
  assert.equal(got.choices.length, 1);
  assert.deepEqual(got.choices[0].message, { role: 'assistant', content: answer, refusal: null });
  assert.equal(got.choices[0].finish_reason, 'stop');
  assertUsage(got.usage);
});

await check('chat, streamed', async () => {
  const chunks = await collect(
    await client.chat.completions.create({ ...chat, stream: true, stream_options: { include_usage: true } }),
  );
  const last = chunks.pop();
  assert.deepEqual(last.choices, []);
  assertUsage(last.usage);
  assert.ok(chunks.length > 3, 'the answer comes in pieces');
  assert.equal(chunks[0].choices[0].delta.role, 'assistant');
  assert.ok(chunks.every((each) => each.usage === null && each.object === 'chat.completion.chunk'));
  assert.equal(chunks.map((each) => each.choices[0].delta.content ?? '').join(''), answer);
  assert.deepEqual(chunks.map((each) => each.choices[0].finish_reason).filter(Boolean), ['stop']);
});

await check('chat, streamed through the helper', async () => {
  const stream = client.chat.completions.stream(chat);
  assert.equal(await stream.finalContent(), answer);
});

await check('chat, log-probabilities', async () => {
  const got = await client.chat.completions.create({ ...chat, logprobs: true, top_logprobs: 2 });
  const tokens = got.choices[0].logprobs.content;
  assert.equal(tokens.length, usage.completion_tokens);
  assert.equal(tokens.map((each) => each.token).join(''), answer + '<|im_end|>');
  for (const each of tokens) {
    assert.ok(each.logprob <= 0 && each.logprob > -1);
    assert.equal(each.top_logprobs.length, 2);
    assert.equal(each.top_logprobs[0].token, each.token);
    assert.ok(each.top_logprobs[1].logprob < each.logprob);
  }
});

await check('chat, n and seed', async () => {
  const ask = async (more) =>
    (await client.chat.completions.create({ ...chat, temperature: 2, seed: 11, ...more })).choices.map(
      (each) => each.message.content,
    );
  const two = await ask({ n: 2 });
  assert.equal(new Set(two).size, 2);
  assert.deepEqual(await ask({ n: 2 }), two);
  assert.deepEqual(await ask({}), two.slice(0, 1));
  assert.notDeepEqual(await ask({ seed: 12 }), two.slice(0, 1));
});

await check('chat, stop and limit', async () => {
  const stopped = await client.chat.completions.create({ ...chat, stop: [', 0+0+1'] });
  assert.equal(stopped.choices[0].message.content, '007+008: 7+8+0=15');
  assert.equal(stopped.choices[0].finish_reason, 'stop');
  const cut = await client.chat.completions.create({ ...chat, max_completion_tokens: 7 });
  assert.equal(cut.choices[0].message.content, '007+008');
  assert.equal(cut.choices[0].finish_reason, 'length');
});

await check('completion', async () => {
  const got = await client.completions.create({ ...completion, logprobs: 1 });
  assert.equal(got.object, 'text_completion');
  assert.equal(got.choices[0].text, answer);
  assert.equal(got.choices[0].finish_reason, 'stop');
  assert.equal(got.choices[0].logprobs.tokens.join(''), answer + '<|im_end|>');
  assertUsage(got.usage);
});

await check('completion, streamed', async () => {
  const chunks = await collect(
    await client.completions.create({ ...completion, n: 2, stream: true, stream_options: { include_usage: true } }),
  );
  assertUsage(chunks.pop().usage, { prompt_tokens: 16, completion_tokens: 92, total_tokens: 108 });
  for (const index of [0, 1]) {
    const mine = chunks.map((each) => each.choices[0]).filter((each) => each.index === index);
    assert.equal(mine.map((each) => each.text).join(''), answer);
    assert.equal(mine.at(-1).finish_reason, 'stop');
  }
});

await check('errors', async () => {
  await assert.rejects(client.chat.completions.create({ ...chat, model: 'gpt-9' }), (e) => {
    assert.ok(e instanceof OpenAI.NotFoundError);
    assert.equal(e.code, 'model_not_found');
    return true;
  });
  await assert.rejects(client.chat.completions.create({ ...chat, temperature: 3, stream: true }), (e) => {
    assert.ok(e instanceof OpenAI.BadRequestError);
    assert.equal(e.param, 'temperature');
    assert.match(e.message, /at most 2/);
    return true;
  });
});

await check('a stream that is left', async () => {
  const stream = await client.completions.create({ ...completion, max_tokens: 2000, ignore_eos: true, stream: true });
  for await (const chunk of stream) {
    assert.equal(chunk.choices.length, 1);
    break; // the client closes the connection
  }
  assert.equal((await client.chat.completions.create(chat)).choices[0].message.content, answer);
});

process.exitCode = failed ? 1 : 0;
