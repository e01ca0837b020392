// Callbacks that were signed and encrypted by Tencent's package @wecom/crypto, by wechat-crypto and by a running co-wechat, into the hooks of a running
// gateway; and messages of the gateway to a made-up platform, which co-wechat-api, an independent client, asks the same.
'use strict';
const assert = require('node:assert');
const {execFile} = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const wecom = require('@wecom/crypto');
const WXBizMsgCrypt = require('wechat-crypto');
const coWechat = require('co-wechat');
const WechatApi = require('co-wechat-api');
const {until, runChecks} = require('../shared/checks');
const {Gateway} = require('../shared/gateway');

const appId = 'wx0a1b2c3d4e5f6071', secret = 'made-up-secret', token = 'TestToken2026';
const aesKey = 'Nadx4MUBviQpkF16Kl6krQlSlt9Z4wRJ3eu1BzETSlE';
const openid = 'oSYNTH00000000000000000000001';
let gateway;

// ---- The platform: gives tokens, takes messages, and says what `next` has for a path.
const asked = [];
const next = new Map();
let tokens = 0, messageId = 300000000;
const platform = http.createServer((request, response) => {
    const pieces = [];
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', () => {
        const url = new URL(request.url, 'http://platform');
        const text = Buffer.concat(pieces).toString();
        asked.push({method: request.method, path: url.pathname, token: url.searchParams.get('access_token'), type: request.headers['content-type'], body: text === '' ? null : JSON.parse(text)});
        let answer = {errcode: 0, errmsg: 'ok'};
        if (next.get(url.pathname)?.length > 0) answer = next.get(url.pathname).shift();
        else if (['/cgi-bin/stable_token', '/cgi-bin/token'].includes(url.pathname)) answer = {access_token: `TOKEN-${++tokens}`, expires_in: 7200};
        else if (url.pathname === '/cgi-bin/message/template/send') answer = {errcode: 0, errmsg: 'ok', msgid: ++messageId};
        response.setHeader('Content-Type', 'application/json');
        response.end(JSON.stringify(answer));
    });
});
const sends = (path) => asked.filter((one) => one.path === path);

// ---- Callbacks.
const now = () => String(Math.floor(Date.now() / 1000));
const nonce = () => String(crypto.randomInt(1e10));
const plainSignature = (timestamp, word) => crypto.createHash('sha1').update([token, timestamp, word].sort().join('')).digest('hex');
const envelope = (encrypted) => `<xml><ToUserName><![CDATA[gh_0123456789ab]]></ToUserName><Encrypt><![CDATA[${encrypted}]]></Encrypt></xml>`;
// The query and body of an encrypted callback, made by Tencent's package.
function sealed(text, {id = appId, timestamp = now(), key = aesKey, word = nonce()} = {}) {
    const encrypted = wecom.encrypt(key, text, id);
    return {query: {signature: plainSignature(timestamp, word), timestamp, nonce: word, openid, encrypt_type: 'aes', msg_signature: wecom.getSignature(token, timestamp, word, encrypted)}, body: envelope(encrypted), encrypted};
}
async function hook(account, query, body, method = body === undefined ? 'GET' : 'POST') {
    const answer = await fetch(`${gateway.url}/hooks/${account}?${new URLSearchParams(query)}`, {method, body, headers: body === undefined ? {} : {'Content-Type': 'text/xml'}});
    return {status: answer.status, type: answer.headers.get('content-type'), text: await answer.text()};
}
let messages = 24000000000000000n;
const message = (text, from = openid) => `<xml><ToUserName><![CDATA[gh_0123456789ab]]></ToUserName><FromUserName><![CDATA[${from}]]></FromUserName><CreateTime>${now()}</CreateTime>` +
    `<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[${text}]]></Content><MsgId>${++messages}</MsgId></xml>`;
const event = (from, name, more, secondsAgo = 0) => `<xml><ToUserName>gh_0123456789ab</ToUserName><FromUserName>${from}</FromUserName><CreateTime>${now() - secondsAgo}</CreateTime>` +
    `<MsgType>event</MsgType><Event>${name}</Event>${more}</xml>`;
async function push(text) {
    const {query, body} = sealed(text);
    const answer = await hook('secure', query, body);
    assert.deepStrictEqual([answer.status, answer.text], [200, 'success']);
}
const taken = async () => (await gateway.events('types=message.received')).length;
const account = async (name) => (await gateway.get('/v1/accounts')).items.find((one) => one.name === name);
const forbidden = (answer) => assert.deepStrictEqual([answer.status, answer.text], [403, '']);

const check = (file, ...words) => new Promise((resolve) =>
    execFile(process.env.TOUCHGATE, ['check', '--config', file, ...words], (fault, out, err) => resolve({status: fault ? fault.code : 0, said: out + err})));

const checks = {
    async 'the platform\'s question is answered, plain and encrypted'() {
        for (const name of ['secure', 'plain', 'compatible']) {
            const timestamp = now(), word = nonce();
            const query = {signature: plainSignature(timestamp, word), timestamp, nonce: word, echostr: '5836271904826153'};
            const answer = await hook(name, query);
            assert.deepStrictEqual([answer.status, answer.text], [200, '5836271904826153']);
            assert(answer.type.startsWith('text/plain'));
            forbidden(await hook(name, {...query, nonce: word + '1'}));
        }
        for (let i = 0; i < 20; ++i) {  // base64 with '+' and '/' among them
            const {query, encrypted} = sealed('echo ' + i);
            assert.strictEqual((await hook('secure', {...query, echostr: encrypted})).text, 'echo ' + i);
        }
    },

    async 'a message of Tencent\'s package is taken once, though it comes again with another signature'() {
        const before = await taken();
        const text = message('请问营业时间？');
        for (let i = 0; i < 3; ++i) {
            const {query, body} = sealed(text);
            const answer = await hook('secure', query, body);
            assert.deepStrictEqual([answer.status, answer.text], [200, 'success']);
            assert(answer.type.startsWith('text/plain'));
            assert.strictEqual((await hook('secure', query, body)).text, 'success');  // the very same request
        }
        await until('the message', async () => await taken() === before + 1);
        const event = (await gateway.events('types=message.received')).at(-1);
        assert.strictEqual(event.data.account, 'secure');
        assert.strictEqual(await taken(), before + 1);
    },

    async 'a message of wechat-crypto is taken'() {
        const before = await taken();
        const cryptor = new WXBizMsgCrypt(token, aesKey, appId);
        const encrypted = cryptor.encrypt(message('来自另一个库')), timestamp = now(), word = nonce();
        const answer = await hook('secure', {timestamp, nonce: word, encrypt_type: 'aes', msg_signature: cryptor.getSignature(timestamp, word, encrypted)}, envelope(encrypted));
        assert.strictEqual(answer.text, 'success');
        await until('the message', async () => await taken() === before + 1);
    },

    async 'what co-wechat encrypts as its answer is taken as a callback, with its time in milliseconds'() {
        const server = coWechat({token, appid: appId, encodingAESKey: aesKey}).middleware(async () => '回复');
        const {query, body} = sealed(message('你好'));
        const context = {query, method: 'POST', request: {body}};
        await server(context);
        const read = (name) => new RegExp(`<${name}>(?:<!\\[CDATA\\[)?(.*?)(?:\\]\\]>)?</${name}>`).exec(context.body)[1];
        assert(read('TimeStamp').length === 13);
        const before = await taken();
        const answer = await hook('secure', {timestamp: read('TimeStamp'), nonce: read('Nonce'), encrypt_type: 'aes', msg_signature: read('MsgSignature')}, context.body);
        assert.deepStrictEqual([answer.status, answer.text], [200, 'success']);
        await until('the message', async () => await taken() === before + 1);
    },

    async 'what is forged, stale, plain or broken is refused, told to nobody and counted'() {
        const before = await taken();
        const counted = {...(await account('secure')).hook.refused};
        const good = sealed(message('x'));
        forbidden(await hook('secure', {...good.query, msg_signature: '0'.repeat(40)}, good.body));
        const old = sealed(message('x'), {timestamp: String(Number(now()) - 660)});
        forbidden(await hook('secure', old.query, old.body));
        const early = sealed(message('x'), {timestamp: String(Number(now()) + 660)});
        forbidden(await hook('secure', early.query, early.body));
        const other = sealed(message('x'), {id: 'wx1111111111111111'});
        forbidden(await hook('secure', other.query, other.body));
        const key = sealed(message('x'), {key: '715MKYl9mqK8mVkZQstKhWAyIhrNxKXBAaLACOO3k4h'});
        forbidden(await hook('secure', key.query, key.body));
        const {signature, timestamp, nonce: word} = good.query;
        forbidden(await hook('secure', {signature, timestamp, nonce: word}, message('x')));
        for (const body of ['', '{}', '<xml>', '<!DOCTYPE xml [<!ENTITY a "b">]>' + good.body]) assert.strictEqual((await hook('secure', good.query, body)).status, 400);
        assert.strictEqual((await hook('secure', good.query, 'x'.repeat((1 << 20) + 1))).status, 413);
        assert.strictEqual((await hook('secure', good.query, good.body, 'PUT')).status, 405);
        assert.strictEqual((await hook('nobody', good.query, good.body)).status, 404);
        const refused = (await account('secure')).hook.refused;
        for (const [reason, count] of Object.entries({SIGNATURE_MISMATCH: 1, STALE: 2, RECEIVE_ID_MISMATCH: 1, NOT_ENCRYPTED: 1, XML: 4}))
            assert.strictEqual((refused[reason] ?? 0) - (counted[reason] ?? 0), count, reason);
        assert.strictEqual(await taken(), before);
    },

    async 'a message that no reader of XML should touch is acknowledged and has no effect'() {
        const before = await taken();
        for (const text of ['<!DOCTYPE xml [<!ENTITY a "b">]><xml><MsgType>&a;</MsgType></xml>', 'hello', '<xml>' + '<a>'.repeat(50) + '</a>'.repeat(50) + '</xml>']) {
            const {query, body} = sealed(text);
            assert.deepStrictEqual([(await hook('secure', query, body)).status, (await hook('secure', query, body)).text], [200, 'success']);
        }
        assert.strictEqual(await taken(), before);
    },

    async 'follows, scans and clicks become events, once each'() {
        const customer = 'o-follower-1', xml = event(customer, 'subscribe', '<EventKey>qrscene_expo_b12</EventKey><Ticket>T</Ticket>');
        for (let i = 0; i < 3; ++i) await push(xml);
        await push(event(customer, 'SCAN', '<EventKey>expo_b13</EventKey>'));
        await push(event(customer, 'some_future_event', '<New>1</New>'));
        const of = async (types) => (await gateway.events('types=' + types)).filter((one) => JSON.stringify(one.data).includes('expo_b1') || one.data.kind === 'some_future_event');
        await until('the events', async () => (await of('contact.followed,event.received,event.unknown')).length >= 4);
        assert.deepStrictEqual((await of('contact.followed')).map((one) => one.data.source), ['expo_b12']);
        assert.deepStrictEqual((await of('event.received')).map((one) => [one.data.kind, one.data.source]), [['subscribe', 'expo_b12'], ['scan', 'expo_b13']]);
        assert.strictEqual((await of('event.unknown')).length, 1);
    },

    async 'a reply window lets so many messages through, and only after an act'() {
        const customer = 'o-window-1';
        const answer = async () => (await gateway.post('/v1/touches', {contact: {openid: customer, account: 'secure'}, purpose: 'service', channels: ['secure'], content: {text: '您好'}})).id;
        const closed = await gateway.settled(await answer(), 'blocked');
        assert.strictEqual(closed.decision.rule, 'window:secure');
        await push(event(customer, 'CLICK', '<EventKey>HELP</EventKey>'));
        for (let i = 0; i < 3; ++i) await gateway.settled(await answer(), 'accepted');
        await gateway.settled(await answer(), 'blocked');
        await push(message('在吗', customer));
        await until('the message opens five', async () => (await gateway.get('/v1/touches/' + await answer())).state !== 'blocked');
        // A template message needs no window.
        const {id} = await gateway.post('/v1/touches', {contact: {openid: 'o-window-2', account: 'secure'}, purpose: 'service', channels: ['secure'], content: {template_message: {template_id: 'TPL-1', data: {thing1: {value: '好'}}}}});
        await gateway.settled(id, 'accepted');
    },

    async 'who unfollows is not written to until he follows again'() {
        const customer = 'o-unfollower-1';
        const notice = async () => (await gateway.post('/v1/touches', {contact: {openid: customer, account: 'secure'}, purpose: 'service', channels: ['secure'], content: {template_message: {template_id: 'TPL-1', data: {thing1: {value: '好'}}}}})).id;
        await push(event(customer, 'subscribe', '', 3));
        await gateway.settled(await notice(), 'accepted');
        await push(event(customer, 'unsubscribe', '', 2));
        const blocked = await gateway.settled(await notice(), 'blocked');
        assert.strictEqual(blocked.decision.rule, 'platform-refusal');
        await push(event(customer, 'subscribe', '<EventKey>old</EventKey>', 4));  // older than the unfollow: changes nothing
        await gateway.settled(await notice(), 'blocked');
        await push(event(customer, 'subscribe', '<EventKey></EventKey>', 1));
        await gateway.settled(await notice(), 'accepted');
    },

    async 'the other modes take what they should'() {
        const before = await taken();
        const timestamp = now(), word = nonce(), query = {signature: plainSignature(timestamp, word), timestamp, nonce: word, openid};
        assert.strictEqual((await hook('plain', query, message('明文'))).text, 'success');
        const both = sealed(message('密文'));
        both.body = both.body.replace('<Encrypt>', '<FromUserName>forged</FromUserName><MsgType>text</MsgType><Content>forged</Content><Encrypt>');
        assert.strictEqual((await hook('compatible', both.query, both.body)).text, 'success');
        forbidden(await hook('compatible', {...both.query, msg_signature: '0'.repeat(40)}, both.body));
        await until('both', async () => await taken() === before + 2);
    },

    async 'requests are those of an independent client'() {
        const api = new WechatApi(appId, secret);
        api.prefix = `http://127.0.0.1:${platform.address().port}/cgi-bin/`;
        const data = {thing1: {value: '包裹已寄出'}};
        const template = {template_id: 'TPL-1', url: 'https://example.test/', data};
        const custom = sealed(message('在吗'));
        await hook('secure', custom.query, custom.body);  // opens the reply window
        for (const [path, content, ask] of [
            ['/cgi-bin/message/custom/send', {text: '在的 "请讲"'}, () => api.sendText(openid, '在的 "请讲"')],
            ['/cgi-bin/message/custom/send', {image: {media_id: 'M-1'}}, () => api.sendImage(openid, 'M-1')],
            ['/cgi-bin/message/template/send', {template_message: template}, () => api.sendTemplate(openid, 'TPL-1', 'https://example.test/', undefined, data)],
        ]) {
            const from = sends(path).length;
            const {id} = await gateway.post('/v1/touches', {contact: {openid, account: 'secure'}, purpose: 'service', channels: ['secure'], content});
            await gateway.settled(id, 'accepted', 'delivered');
            await ask();
            const [ours, theirs] = sends(path).slice(from);
            delete ours.body.client_msg_id;
            assert.deepStrictEqual({...ours, token: 0, type: 0}, {...theirs, token: 0, type: 0});
            assert(ours.type.startsWith('application/json') && ours.token.startsWith('TOKEN-'));
        }
    },

    async 'a template message is delivered when the platform says so, and carries the touch\'s id'() {
        const content = {template_message: {template_id: 'TPL-1', data: {thing1: {value: '好'}}}};
        const {id} = await gateway.post('/v1/touches', {contact: {openid, account: 'secure'}, purpose: 'service', channels: ['official_account'], content});
        await gateway.settled(id, 'accepted');
        assert.strictEqual(sends('/cgi-bin/message/template/send').at(-1).body.client_msg_id, id.replaceAll('-', ''));
        const {query, body} = sealed(`<xml><ToUserName>gh_0123456789ab</ToUserName><FromUserName>${openid}</FromUserName><CreateTime>${now()}</CreateTime><MsgType>event</MsgType>` +
            `<Event>TEMPLATESENDJOBFINISH</Event><MsgID>${messageId}</MsgID><Status>success</Status></xml>`);
        assert.strictEqual((await hook('secure', query, body)).text, 'success');
        await gateway.settled(id, 'delivered');
    },

    async 'a stale token is fetched again without force, and the message sent once more'() {
        const path = '/cgi-bin/message/template/send', fetched = sends('/cgi-bin/stable_token').length, from = sends(path).length;
        next.set(path, [{errcode: 42001, errmsg: 'access_token expired rid: 1-2'}]);
        const {id} = await gateway.post('/v1/touches', {contact: {openid, account: 'secure'}, purpose: 'service', channels: ['official_account'], content: {template_message: {template_id: 'TPL-1', data: {thing1: {value: '好'}}}}});
        await gateway.settled(id, 'accepted');
        const [first, second] = sends(path).slice(from);
        assert.notStrictEqual(first.token, second.token);
        assert.deepStrictEqual(first.body, second.body);
        const refreshed = sends('/cgi-bin/stable_token').slice(fetched);
        assert.deepStrictEqual(refreshed.map((one) => one.body), [{grant_type: 'client_credential', appid: appId, secret, force_refresh: false}]);
    },

    async 'a code of the platform is the outcome of the attempt'() {
        for (const [code, outcome] of [[47003, 'content_rejected'], [40003, 'recipient_invalid'], [12345, 'refused']]) {
            // What nobody understands is asked for once more.
            next.set('/cgi-bin/message/template/send', Array(outcome === 'refused' ? 2 : 1).fill({errcode: code, errmsg: 'x rid: 6123-4'}));
            const {id} = await gateway.post('/v1/touches', {contact: {openid: 'o-code-' + code, account: 'secure'}, purpose: 'service', channels: ['secure'], content: {template_message: {template_id: 'TPL-1', data: {thing1: {value: '好'}}}}});
            const touch = await gateway.settled(id, 'failed');
            assert.deepStrictEqual([touch.attempts.at(-1).outcome, touch.attempts.at(-1).error.code], [outcome, String(code)]);
        }
    },

    async 'the configuration\'s check asks for a token, and names a bad key'() {
        const good = await check(gateway.config, '--probe');
        assert.strictEqual(good.status, 0, good.said);
        const config = JSON.parse(fs.readFileSync(gateway.config));
        config.accounts.secure.encoding_aes_key = aesKey.slice(1);
        const file = path.join(path.dirname(gateway.config), 'bad.json');
        fs.writeFileSync(file, JSON.stringify(config));
        const bad = await check(file);
        assert.strictEqual(bad.status, 1);
        assert.match(bad.said, /\/accounts\/secure\/encoding_aes_key.*AES_KEY/s);
        next.set('/cgi-bin/stable_token', Array(3).fill({errcode: 40125, errmsg: 'invalid appsecret'}));
        const refused = await check(gateway.config, '--probe');
        assert.strictEqual(refused.status, 1);
        assert.match(refused.said, /40125/);
        assert(!refused.said.includes(secret));
    },
};

(async () => {
    await new Promise((resolve) => platform.listen(0, '127.0.0.1', resolve));
    const settings = {adapter: 'official_account', base_url: `http://127.0.0.1:${platform.address().port}`, app_id: appId, app_secret: secret, token};
    gateway = new Gateway({accounts: {
        secure: {...settings, encoding_aes_key: aesKey, mode: 'secure'},
        compatible: {...settings, encoding_aes_key: aesKey, mode: 'compatible'},
        plain: {...settings, mode: 'plain'},
    }});
    await gateway.start();
    await runChecks(checks, {
        after: async () => {
            await gateway.remove();
            platform.close();
        },
    });
})();
