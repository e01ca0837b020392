// The CloudEvents SDK, an EventSource and curl as readers of /v1/events, and the SDK as the receiver of callbacks: every event is valid, none is
// lost and none comes twice, also when the stream breaks and when the gateway is killed.
'use strict';
const assert = require('node:assert');
const {execFile} = require('node:child_process');
const crypto = require('node:crypto');
const http = require('node:http');
const {CloudEvent, HTTP} = require('cloudevents');
const {EventSource} = require('eventsource');
const {until, runChecks} = require('../shared/checks');
const {Gateway, key} = require('../shared/gateway');

const batchType = 'application/cloudevents-batch+json';
const secret = 'a-secret-shared-with-the-caller';
let gateway, ready = false;

// A touch for each of the next numbers, all at once. Those that a killed gateway did not answer are posted again with the same key.
let posted = 0;
async function post(count) {
    const numbers = Array.from({length: count}, () => posted++);
    await Promise.all(numbers.map(async (n) => {
        for (;;) {
            try {
                return await gateway.touch(`+86138${String(n).padStart(8, '0')}`, `第 ${n} 条\u2028"行"`, {key: `event-${n}`, callback: 'caller', metadata: {n: String(n)}});
            } catch (fault) {
                if (!(fault instanceof TypeError) && fault.status !== 503) throw fault;  // no connection, or on its way out
                await new Promise((resolve) => setTimeout(resolve, 50));
            }
        }
    }));
}

const head = async () => (await gateway.get('/v1/log/head')).sequence;
const ends = ['touch.delivered', 'touch.failed', 'touch.unknown', 'touch.replied'];
async function settle() {
    await until('every touch has its end', async () => {
        const events = await gateway.events('types=touch.*');
        return new Set(events.filter((event) => ends.includes(event.type)).map((event) => event.subject)).size === posted;
    });
}

// The stream of events as an EventSource reads it, which connects again by itself with the last id that it saw.
class Feed extends EventSource {
    constructor(query = '', last = null) {
        const resumedFrom = [];
        super('http://gateway/v1/events' + query, {fetch: async (url, options) => {
            if (!ready) throw new TypeError('the gateway is not up');
            const sent = {...options.headers, Authorization: 'Bearer ' + key};
            if (last !== null && sent['Last-Event-ID'] === undefined) sent['Last-Event-ID'] = last;
            resumedFrom.push(sent['Last-Event-ID']);
            return fetch(String(url).replace('http://gateway', gateway.url), {...options, headers: sent});
        }});
        this.resumedFrom = resumedFrom;
        this.items = [];
    }
    // Events have their type as name, and there is no listener for all names.
    dispatchEvent(event) {
        if (event.lastEventId) this.items.push({id: event.lastEventId, type: event.type, json: JSON.parse(event.data)});
        return super.dispatchEvent(event);
    }
    last() { return this.items.length === 0 ? 0 : Number(this.items.at(-1).id); }
}
const streamed = (feed) => feed.items.map((item) => item.json);

function curl(...words) {
    return new Promise((resolve) => execFile('curl', ['-sS', '-N', '-H', 'Authorization: Bearer ' + key, ...words], {maxBuffer: 1 << 28}, (_, out) => resolve(out)));
}

const received = [];  // events of callbacks, in order of arrival
const wrong = [];     // callbacks that were not as they should be
const receiver = http.createServer((request, response) => {
    const pieces = [];
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', () => {
        const body = Buffer.concat(pieces);
        const signed = crypto.createHmac('sha256', secret).update(request.headers['touchgate-timestamp'] + '.').update(body).digest('hex');
        if (request.headers['touchgate-signature'] !== 'v1=' + signed) wrong.push('signature ' + request.headers['touchgate-signature']);
        try {
            received.push(...HTTP.toEvent({headers: request.headers, body: body.toString()}));
        } catch (fault) {
            wrong.push(fault.message);
        }
        response.end();
    });
});

const checks = {
    async 'every event is valid for the SDK, one by one and as a batch'() {
        await post(300);
        await settle();
        const wanted = ['touch.created', 'touch.dispatching', 'touch.accepted', 'touch.delivered', 'touch.failed', 'touch.replied', 'message.received', 'receipt.received', 'consent.withdrawn'];
        let items;
        await until('events of many types', async () => {
            items = await gateway.events();
            return wanted.every((type) => items.some((item) => item.type === type));
        });
        for (const item of items) {
            const event = new CloudEvent(item, true);
            assert(event.validate());
            assert.strictEqual(event.id, String(item.sequence));
            assert.strictEqual(event.datacontenttype, 'application/json');
            assert.strictEqual(new Date(event.time).toISOString(), new Date(item.time).toISOString());
        }
        const batch = HTTP.toEvent({headers: {'content-type': batchType}, body: JSON.stringify(items)});
        assert.deepStrictEqual(batch.map((event) => [event.id, event.type, event.data]), items.map((item) => [item.id, item.type, item.data]));
    },

    async 'numbers have no gaps, and pages of any size say the same'() {
        const all = await gateway.events();
        assert.deepStrictEqual(all.map((item) => item.sequence), all.map((_, i) => i + 1));
        assert(all.length <= await head());
        const small = [];
        for (let after = 0;;) {
            const page = await gateway.get(`/v1/events?after=${after}&limit=37`);
            assert(page.last_seq >= all.length);
            if (page.items.length === 0) break;
            small.push(...page.items);
            after = page.items.at(-1).sequence;
        }
        assert.deepStrictEqual(small.slice(0, all.length), all);
    },

    async 'a long poll is answered by what happens next'() {
        const after = await head();
        const poll = gateway.get(`/v1/events?after=${after}&types=touch.created&wait=PT20S`);
        await post(1);
        assert.strictEqual((await poll).items[0].data.key, `event-${posted - 1}`);
        await settle();
    },

    async 'a stream is the same as the pages, and goes on after Last-Event-ID'() {
        const all = await gateway.events();
        const whole = new Feed();
        await until('the whole stream', () => whole.last() >= all.length);
        whole.close();
        assert.deepStrictEqual(streamed(whole).slice(0, all.length), all);
        assert(whole.items.every((item) => item.id === item.json.id && item.type === item.json.type));
        const half = new Feed('', String(all.length >> 1));
        await until('the second half', () => half.last() >= all.length);
        half.close();
        assert.deepStrictEqual(streamed(half).slice(0, all.length - (all.length >> 1)), all.slice(all.length >> 1));
        const wanted = all.filter((item) => item.type === 'touch.delivered' || item.type.startsWith('consent.'));
        const some = new Feed('?types=touch.delivered,consent.*');
        await until('the filtered stream', () => some.items.length >= wanted.length);
        some.close();
        assert.deepStrictEqual(streamed(some).slice(0, wanted.length), wanted);
    },

    async 'curl reads pages and streams'() {
        const all = await gateway.events();
        const page = JSON.parse(await curl(gateway.url + `/v1/events?after=${all.length - 3}`));
        assert.deepStrictEqual(page.items.slice(0, 3), all.slice(-3));
        const text = await curl('--max-time', '1', '-H', 'Accept: text/event-stream', '-H', `Last-Event-ID: ${all.length - 2}`, gateway.url + '/v1/events');
        const blocks = text.split('\n\n').filter((block) => block !== '' && !block.startsWith(':')).slice(0, 2);
        const lines = blocks.map((block) => block.split('\n'));
        assert.deepStrictEqual(lines.map(([id, type]) => [id, type]), all.slice(-2).map((item) => ['id: ' + item.id, 'event: ' + item.type]));
        assert.deepStrictEqual(lines.map(([, , data]) => JSON.parse(data.slice('data: '.length))), all.slice(-2));
    },

    async 'while touches flow the gateway is killed and stopped: the stream neither loses nor repeats an event'() {
        const feed = new Feed();
        for (const signal of ['SIGKILL', 'SIGTERM']) {
            const before = feed.resumedFrom.length;
            const goal = feed.last() + 300;
            const flow = post(400);
            await until('events flow', () => feed.last() > goal);
            ready = false;
            await gateway.end(signal);
            await gateway.start();
            ready = true;
            await flow;
            await until('connected again', () => feed.resumedFrom.length > before);
        }
        await settle();
        const end = await head();
        await until('the end of the stream', () => feed.last() >= end);
        feed.close();
        const all = await gateway.events();
        assert.deepStrictEqual(feed.items.map((item) => Number(item.id)), feed.items.map((_, i) => i + 1));
        assert.deepStrictEqual(streamed(feed), all.slice(0, feed.items.length));
        assert(feed.resumedFrom.slice(1).every((id) => Number(id) > 0), `resumed from ${feed.resumedFrom}`);
        all.forEach((item) => new CloudEvent(item, true));
        assert.strictEqual(new Set(all.filter((item) => item.type === 'touch.created').map((item) => item.data.key)).size, posted);
        assert.strictEqual(all.filter((item) => item.type === 'touch.created').length, posted);
    },

    async 'callbacks are signed batches that the SDK understands, and tell of every touch'() {
        const final = (await gateway.events('types=touch.*')).filter((item) => ['touch.delivered', 'touch.failed'].includes(item.type));
        const seen = () => new Map(received.map((event) => [event.id, event]));
        await until('every touch\'s end', () => { const got = seen(); return final.every((item) => got.has(item.id)); }, 20);
        assert.deepStrictEqual(wrong, []);
        const got = seen();
        for (const item of final) {
            const event = got.get(item.id);
            assert(event.validate());
            assert.deepStrictEqual([event.type, event.subject, event.data.touch_id], [item.type, item.subject, item.data.touch_id]);
        }
    },
};

(async () => {
    await new Promise((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    const [host, port] = JSON.parse(process.env.SANDBOX_PORTS).smsc.split(':');
    gateway = new Gateway({
        accounts: {sms: {adapter: 'smpp', host, port: Number(port), system_id: 'gateway', password: 'secret08', source_address: '10690000', rate: 5000, window: 32, tls: false}},
        callbacks: {caller: {url: `http://127.0.0.1:${receiver.address().port}/events`, secret, events: ['final', 'deferred', 'replied']}},
    });
    await gateway.start();
    ready = true;
    await runChecks(checks, {
        after: async () => {
            await gateway.remove();
            receiver.close();
        },
    });
})();
