// Clients and receivers written by others against the simulated WeChat platforms: co-wechat-api and node-easywechat send, co-wechat receives
// an official account's callbacks, @wecom/crypto and wechat-crypto read the encrypted ones.
'use strict';
const assert = require('node:assert');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const wecomCrypto = require('@wecom/crypto');
const wechat = require('co-wechat');
const WechatAPI = require('co-wechat-api');
const Koa = require('koa');
const easy = require('node-easywechat');
const WechatCrypto = require('wechat-crypto');
const {until, runChecks} = require('../shared/checks');

const ports = JSON.parse(process.env.SANDBOX_PORTS);
const appid = 'wx0123456789abcdef', corpid = 'ww0123456789abcdef', mini = 'wxfedcba9876543210', agentid = '1000002';
const token = 'TestToken2026', aesKey = 'Nadx4MUBviQpkF16Kl6krQlSlt9Z4wRJ3eu1BzETSlE';

const ask = async (method, where, body) => {
    const answer = await fetch(`http://${ports.listen}/sandbox${where}`, {method, body: body === undefined ? undefined : JSON.stringify(body)});
    const text = await answer.text();
    assert(answer.ok, `${method} ${where}: ${answer.status} ${text}`);
    return text === '' ? null : JSON.parse(text);
};
const behave = (behaviour) => ask('PUT', '/behaviour', behaviour);
const messages = async (query) => (await ask('GET', '/messages?limit=100000&' + query)).items;
const wecomAct = (act) => ask('POST', '/wecom/act', act);
const act = (what) => ask('POST', '/official_account/act', what);

const cache = fs.mkdtempSync(path.join(os.tmpdir(), 'touchgate-easywechat-'));
process.on('exit', () => fs.rmSync(cache, {recursive: true, force: true}));
const common = {token, aes_key: aesKey, file_cache: {path: cache}, http: {throw: false}};
const official = new easy.OfficialAccount({...common, app_id: appid, secret: 'made-up-secret', use_stable_access_token: true, http: {baseURL: `http://${ports.official_account}/`, throw: false}});
const miniApp = new easy.MiniApp({...common, app_id: mini, secret: 'made-up-mini-secret', http: {baseURL: `http://${ports.official_account}/`, throw: false}});
const corp = new easy.Work({...common, corp_id: corpid, secret: 'made-up-corp-secret', http: {baseURL: `http://${ports.wecom}/`, throw: false}});
const post = async (app, where, json) => (await app.getClient().post(where, {json})).toObject(false);
const get = async (app, where, params = {}) => (await app.getClient().get(where, {params})).toObject(false);

const api = (secret = 'made-up-secret') => {
    const made = new WechatAPI(appid, secret);
    made.prefix = `http://${ports.official_account}/cgi-bin/`;
    return made;
};
const rejectedWith = (code) => (fault) => fault.code === code;

// A server for callbacks; `handler(request, body)` gives the answer's body or a status.
async function receiver(handler) {
    const server = http.createServer((request, response) => {
        let body = '';
        request.on('data', (piece) => { body += piece; });
        request.on('end', () => {
            const answer = handler(request, body);
            response.statusCode = typeof answer === 'number' ? answer : 200;
            response.end(typeof answer === 'number' ? '' : answer);
        });
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    return {url: `http://127.0.0.1:${server.address().port}/hook`, close: () => server.close()};
}
const queryOf = (request) => new URL(request.url, 'http://x').searchParams;
const between = (xml, name) => xml.match(new RegExp(`<${name}>(?:<!\\[CDATA\\[)?(.*?)(?:\\]\\]>)?</${name}>`, 's'))?.[1];

const checks = {
    async 'co-wechat-api: token, custom messages and their window'() {
        const client = api();
        await assert.rejects(client.sendText('oAnna', '您好'), rejectedWith(45015));
        await act({act: 'write', appid, openid: 'oAnna', text: '在吗'});
        for (let i = 0; i < 5; ++i) assert.strictEqual((await client.sendText('oAnna', '您好 😀 ' + i)).errcode, 0);
        await assert.rejects(client.sendText('oAnna', '您好'), rejectedWith(45047));
        const got = await messages('to=oAnna&kind=custom');
        assert.deepStrictEqual(got.map((message) => message.text), [0, 1, 2, 3, 4].map((i) => '您好 😀 ' + i));
        assert.strictEqual(got[0].account_user, appid);
        await assert.rejects(client.sendText('oStranger', 'x'), rejectedWith(40003));
        await assert.rejects(api('wrong').getAccessToken(), rejectedWith(40125));
    },

    async 'co-wechat-api: a revoked token is refreshed and the call repeated'() {
        const client = api();
        const {accessToken} = await client.ensureAccessToken();
        await ask('POST', '/official_account/revoke', {application: appid, code: 42001});
        assert.strictEqual((await client.getUser('oBen')).subscribe, 1);
        assert.notStrictEqual((await client.ensureAccessToken()).accessToken, accessToken);
    },

    async 'co-wechat-api: another token takes the place of the first one'() {
        const first = api(), second = api();
        const before = (await first.ensureAccessToken()).accessToken;
        await second.ensureAccessToken();
        assert.strictEqual((await first.getFollowers()).total >= 3, true);
        assert.notStrictEqual((await first.ensureAccessToken()).accessToken, before);
    },

    async 'co-wechat-api: template messages'() {
        const client = api();
        const answer = await client.sendTemplate('oBen', 'TPL-1', 'http://example.test/', '#173177', {first: {value: '您好'}, keyword1: {value: 'A-7'}});
        assert.strictEqual(answer.errcode, 0);
        assert(answer.msgid);
        const [message] = await messages('to=oBen&kind=template');
        assert.strictEqual(message.text, '您好 订单 A-7');
        await until('delivered', async () => (await messages('to=oBen&kind=template'))[0].state === 'delivered');
        await assert.rejects(client.sendTemplate('oBen', 'TPL-9', '', '', {first: {value: 'x'}}), rejectedWith(40037));
        assert.strictEqual((await client.getAllPrivateTemplate()).template_list[0].template_id, 'TPL-1');
    },

    async 'co-wechat-api: mass messages, once per clientmsgid'() {
        const client = api();
        const send = () => client.massSend({msgtype: 'text', text: {content: '上新'}}, ['oAnna', 'oBen'], 'mass-1');
        const {msg_id: id} = await send();
        await assert.rejects(send(), rejectedWith(45065));
        await until('sent', async () => (await client.getMassMessageStatus(id)).msg_status === 'SEND_SUCCESS');
        assert.strictEqual((await messages('kind=mass')).filter((message) => message.via === 'official_account').length, 2);
    },

    async 'co-wechat-api: QR codes, followers, tags'() {
        const client = api();
        const temporary = await client.createTmpQRCode('expo_b12', 600);
        assert.strictEqual(temporary.expire_seconds, 600);
        assert((await client.createLimitQRCode(7)).ticket);
        await act({act: 'scan', appid, openid: 'oDora', ticket: temporary.ticket});
        const dora = await client.getUser('oDora');
        assert.strictEqual(dora.qr_scene_str, 'expo_b12');
        assert.strictEqual(dora.subscribe_scene, 'ADD_SCENE_QR_CODE');
        const followers = await client.getFollowers();
        assert(followers.data.openid.includes('oDora'));
        assert.strictEqual((await client.batchGetUsers(['oAnna', 'oDora'])).user_info_list.length, 2);
        const {tag} = await client.createTags('VIP');
        await client.batchTagging(['oDora'], tag.id);
        assert.deepStrictEqual((await client.getUsersFromTag(tag.id)).data.openid, ['oDora']);
        assert.deepStrictEqual((await client.getIdList('oDora')).tagid_list, [tag.id]);
        await client.deleteTag(tag.id);
    },

    async 'node-easywechat: stable token, custom and template messages, tags'() {
        await act({act: 'write', appid, openid: 'oCleo', text: '你好'});
        assert.strictEqual((await post(official, 'cgi-bin/message/custom/send', {touser: 'oCleo', msgtype: 'text', text: {content: '在的'}})).errcode, 0);
        const body = {touser: 'oCleo', template_id: 'TPL-1', client_msg_id: 'once-1', data: {first: {value: 'a'}, keyword1: {value: 'b'}}};
        const first = await post(official, 'cgi-bin/message/template/send', body);
        assert.strictEqual((await post(official, 'cgi-bin/message/template/send', body)).msgid, first.msgid);
        assert.strictEqual((await messages('to=oCleo&kind=template')).length, 1);
        const {tag} = await post(official, 'cgi-bin/tags/create', {tag: {name: '老客'}});
        assert((await get(official, 'cgi-bin/tags/get')).tags.some((one) => one.id === tag.id));
        // A stable token survives the other call's new tokens.
        const before = await official.getAccessToken().getToken();
        await api().ensureAccessToken();
        assert.strictEqual((await get(official, 'cgi-bin/user/info', {openid: 'oCleo'})).subscribe, 1);
        assert.strictEqual(await official.getAccessToken().getToken(), before);
    },

    async 'node-easywechat: subscribe messages of a mini program need an acceptance'() {
        const send = () => post(miniApp, 'cgi-bin/message/subscribe/send', {touser: 'oMia', template_id: 'SUB-1', data: {thing1: {value: '到货'}}});
        assert.strictEqual((await send()).errcode, 43101);
        await act({act: 'accept', appid: mini, openid: 'oMia', template_id: 'SUB-1'});
        assert.strictEqual((await send()).errcode, 0);
        assert.strictEqual((await send()).errcode, 43101);
    },

    async 'node-easywechat: WeCom mass messages wait for the member, then have results'() {
        const {external_userid: customers} = await get(corp, 'cgi-bin/externalcontact/list', {userid: 'agent.lin'});
        assert.strictEqual(customers.length, 10);
        const {msgid, fail_list: failed} = await post(corp, 'cgi-bin/externalcontact/add_msg_template', {chat_type: 'single', external_userid: [...customers, 'wmNobody'], text: {content: '周末活动'}});
        assert.deepStrictEqual(failed, ['wmNobody']);
        const results = (more = {}) => post(corp, 'cgi-bin/externalcontact/get_groupmsg_send_result', {msgid, userid: 'agent.lin', ...more});
        assert((await results()).send_list.every((item) => item.status === 0));
        assert.strictEqual((await ask('POST', '/wecom/press', {msgid})).sent, 10);
        const page = await results({limit: 4});
        assert.strictEqual(page.send_list.length, 4);
        assert.strictEqual((await results({limit: 100, cursor: page.next_cursor})).send_list.length, 6);
        assert.strictEqual((await post(corp, 'cgi-bin/externalcontact/get_groupmsg_task', {msgid})).task_list[0].status, 2);
        assert.strictEqual((await messages('kind=mass')).filter((message) => message.via === 'wecom').length, 10);
        const other = await post(corp, 'cgi-bin/externalcontact/add_msg_template', {sender: 'agent.lin', text: {content: '取消'}});
        assert.strictEqual((await post(corp, 'cgi-bin/externalcontact/cancel_groupmsg_send', {msgid: other.msgid})).errcode, 0);
        assert.strictEqual((await post(corp, 'cgi-bin/externalcontact/remind_groupmsg_send', {msgid: other.msgid})).errcode, 41093);
        assert.strictEqual((await ask('POST', '/wecom/press', {msgid: other.msgid})).sent, 0);
    },

    async 'node-easywechat: WeCom media, messages to members, groups, customers'() {
        const form = new FormData();
        form.append('media', new Blob(['0123456789'], {type: 'image/png'}), 'a.png');
        const uploaded = await (await fetch(`http://${ports.wecom}/cgi-bin/media/upload?type=image&access_token=${await corp.getAccessToken().getToken()}`, {method: 'POST', body: form})).json();
        assert(uploaded.media_id);
        const sent = await post(corp, 'cgi-bin/message/send', {touser: 'agent.lin|nobody', agentid: 1000002, msgtype: 'image', image: {media_id: uploaded.media_id}});
        assert.strictEqual(sent.invaliduser, 'nobody');
        const {group_chat_list: groups} = await post(corp, 'cgi-bin/externalcontact/groupchat/list', {limit: 10});
        assert.strictEqual(groups.length, 2);
        const {group_chat: group} = await post(corp, 'cgi-bin/externalcontact/groupchat/get', {chat_id: groups[0].chat_id, need_name: 1});
        assert(group.member_list.length > 1);
        const batch = await post(corp, 'cgi-bin/externalcontact/batch/get_by_user', {userid_list: ['agent.wu'], limit: 100});
        assert.strictEqual(batch.external_contact_list.length, 10);
    },

    async 'node-easywechat and @wecom/crypto: customer service from callback to answer'() {
        const got = [];
        const hook = await receiver((request, body) => {
            const encrypted = between(body, 'Encrypt'), query = queryOf(request);
            assert.strictEqual(wecomCrypto.getSignature(token, query.get('timestamp'), query.get('nonce'), encrypted), query.get('msg_signature'));
            const opened = wecomCrypto.decrypt(aesKey, encrypted);
            assert.strictEqual(opened.id, corpid);
            got.push(opened.message);
            return '';
        });
        await ask('PUT', '/wecom/callback', {application: agentid, url: hook.url});
        const {external_userid: customer, open_kfid: account} = await wecomAct({act: 'write', text: '怎么退货？'});
        await until('the callback', () => got.length === 1);
        assert.strictEqual(between(got[0], 'Event'), 'kf_msg_or_event');
        const pulled = await post(corp, 'cgi-bin/kf/sync_msg', {token: between(got[0], 'Token'), open_kfid: account, cursor: '', limit: 1000});
        assert.strictEqual(pulled.msg_list.at(-1).text.content, '怎么退货？');
        assert.strictEqual((await post(corp, 'cgi-bin/kf/send_msg', {touser: customer, open_kfid: account, msgid: 'our-1', msgtype: 'text', text: {content: '请稍等'}})).msgid, 'our-1');
        assert.strictEqual((await messages('to=' + customer))[0].text, '请稍等');
        await ask('PUT', '/wecom/callback', {application: agentid, url: ''});
        hook.close();
    },

    async '@wecom/crypto and wechat-crypto: a URL verification, a follower, repeats after refusals'() {
        const got = [];
        const reader = new WechatCrypto(token, aesKey, corpid);
        const hook = await receiver((request, body) => {
            const query = queryOf(request);
            if (request.method === 'GET') {
                assert.strictEqual(reader.getSignature(query.get('timestamp'), query.get('nonce'), query.get('echostr')), query.get('msg_signature'));
                return reader.decrypt(query.get('echostr')).message;
            }
            const encrypted = between(body, 'Encrypt');
            got.push(reader.decrypt(encrypted).message);
            assert.strictEqual(got.at(-1), wecomCrypto.decrypt(aesKey, encrypted).message);
            return got.length < 4 ? 500 : '';
        });
        await ask('PUT', '/wecom/callback', {application: agentid, url: hook.url});
        const {n} = await ask('POST', '/wecom/verify', {application: agentid});
        const outcome = async (number) => (await ask('GET', `/wecom/callbacks?after=${number - 1}`)).items[0].outcome;
        await until('the verification', async () => await outcome(n) === 'taken');
        const {welcome_code: code} = await wecomAct({act: 'follow', userid: 'agent.wu', state: 'lead_qr_0007'});
        await until('three repeats', () => got.length === 4);
        assert.strictEqual(new Set(got).size, 1);
        assert.strictEqual(between(got[0], 'WelcomeCode'), code);
        assert.strictEqual(between(got[0], 'State'), 'lead_qr_0007');
        await until('taken', async () => await outcome(n + 1) === 'taken');
        const welcome = () => post(corp, 'cgi-bin/externalcontact/send_welcome_msg', {welcome_code: code, text: {content: '欢迎'}});
        assert.strictEqual((await welcome()).errcode, 0);
        assert.strictEqual((await welcome()).errcode, 41051);
        await ask('PUT', '/wecom/callback', {application: agentid, url: ''});
        hook.close();
    },

    async 'co-wechat: receives an official account\'s callbacks in every mode, and its answers reach the user'() {
        for (const mode of ['plain', 'compatible', 'secure']) {
            const got = [];
            const app = new Koa();
            app.use(wechat(mode === 'plain' ? {token, appid} : {token, appid, encodingAESKey: aesKey}).middleware(async (message) => {
                got.push(message);
                return message.MsgType === 'text' ? '收到：' + message.Content : '';
            }));
            const server = await new Promise((resolve) => { const one = app.listen(0, '127.0.0.1', () => resolve(one)); });
            await ask('PUT', '/official_account/callback', {application: appid, url: `http://127.0.0.1:${server.address().port}/`, mode});
            const {n} = await ask('POST', '/official_account/verify', {application: appid});
            await until('the verification', async () => (await ask('GET', `/official_account/callbacks?after=${n - 1}`)).items[0].outcome === 'taken');
            await act({act: 'write', appid, openid: 'oAnna', text: mode + ' <b> & "q" ]]> 😀'});
            await until('the message', () => got.length === 1);
            assert.strictEqual(got[0].Content, mode + ' <b> & "q" ]]> 😀');
            assert.strictEqual(got[0].FromUserName, 'oAnna');
            await until('its answer', async () => (await messages('to=oAnna&kind=reply')).some((message) => message.text.startsWith('收到：' + mode)));
            await act({act: 'click', appid, openid: 'oAnna', key: 'MENU_HELP'});
            await until('the click', () => got.length === 2);
            assert.strictEqual(got[1].Event, 'CLICK');
            assert.strictEqual(got[1].EventKey, 'MENU_HELP');
            await ask('PUT', '/official_account/callback', {application: appid, url: ''});
            server.close();
        }
    },

    async 'storms: 45009 for a few calls, then an answer that never comes'() {
        const where = '/cgi-bin/message/template/send';
        const body = {touser: 'oAnna', template_id: 'TPL-1', data: {first: {value: 'storm'}, keyword1: {value: 'b'}}};
        await ask('POST', '/official_account/storm', {path: where, code: 45009, calls: 2});
        assert.strictEqual((await post(official, where, body)).errcode, 45009);
        assert.strictEqual((await post(official, where, body)).errcode, 45009);
        await ask('POST', '/official_account/storm', {path: where, how: 'hang_up', calls: 1});
        await assert.rejects(fetch(`http://${ports.official_account}${where}?access_token=${await official.getAccessToken().getToken()}`, {method: 'POST', body: JSON.stringify(body)}));
        const got = (await messages('to=oAnna&kind=template')).filter((message) => message.text.startsWith('storm'));
        assert.strictEqual(got.length, 1);
        assert.strictEqual(got[0].answered, false);
        assert.strictEqual((await post(official, where, body)).errcode, 0);
    },
};

runChecks(checks);
