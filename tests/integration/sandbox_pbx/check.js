// npm ari-client, made for Asterisk, against the sandbox's PBX.
'use strict';
const assert = require('node:assert');
const ari = require('ari-client');
const {until, runChecks} = require('../shared/checks');

const ports = JSON.parse(process.env.SANDBOX_PORTS);
const control = `http://${ports.listen}/sandbox/pbx`;
const pbx = `http://${ports.pbx}`;

const ask = async (method, path, body) => {
    const answer = await fetch(control + path, {method, body: body === undefined ? undefined : JSON.stringify(body)});
    assert(answer.ok, `${method} ${path}: ${answer.status} ${answer.ok ? '' : await answer.text()}`);
    return answer.status === 204 ? null : answer.json();
};

let client;
let seen = [];
// The next event of a type, of a channel if one is named, also if it came before.
const next = async (type, id) => {
    let found;
    await until(`${type} ${id ?? ''}`, () => (found = seen.find((event) => event.type === type && (!id || (event.channel ?? event.peer ?? {}).id === id))));
    seen.splice(seen.indexOf(found), 1);
    return found;
};

const types = ['StasisStart', 'StasisEnd', 'ChannelStateChange', 'ChannelDestroyed', 'ChannelEnteredBridge', 'ChannelLeftBridge', 'ChannelDtmfReceived', 'Dial', 'PlaybackFinished',
    'RecordingFinished', 'ChannelHold', 'ApplicationReplaced', 'ChannelHangupRequest'];

async function start() {
    client = await ari.connect(pbx, 'client', 'secret');
    for (const type of types) client.on(type, (event) => seen.push({...event, type}));
    client.start('check');
    await until('the application', async () => (await client.applications.list()).some((app) => app.name === 'check'));
}

const checks = {
    async 'a wrong password is refused, and so is what does not exist'() {
        assert.strictEqual((await fetch(pbx + '/ari/channels')).status, 401);
        const basic = (user) => ({headers: {authorization: 'Basic ' + Buffer.from(user).toString('base64')}});
        assert.strictEqual((await fetch(pbx + '/ari/channels', basic('client:wrong'))).status, 401);
        assert.strictEqual((await fetch(pbx + '/ari/nothing', basic('client:secret'))).status, 404);
        await assert.rejects(client.channels.get({channelId: 'none'}), /Channel not found/);
        await assert.rejects(client.channels.originate({endpoint: 'PJSIP/9999', app: 'check'}), /Allocation failed/);
        await assert.rejects(client.channels.originate({endpoint: 'nonsense', app: 'check'}), /Invalid endpoint/);
        assert.strictEqual((await client.asterisk.ping()).ping, 'pong');
    },

    async 'a customer is called, answers, and is hung up'() {
        const channel = await client.channels.originate({endpoint: 'PJSIP/13800000000@trunk', app: 'check', appArgs: 'a,b', channelId: 'c1', callerId: '"Shop" <1000>', timeout: 20, variables: {TOUCHGATE_OWNER: 'x'}});
        assert.strictEqual(channel.state, 'Down');
        await assert.rejects(client.channels.originate({endpoint: 'PJSIP/1@trunk', app: 'check', channelId: 'c1'}), /already exists/);
        assert.strictEqual((await next('Dial', 'c1')).dialstatus, '');
        assert.strictEqual((await next('ChannelStateChange', 'c1')).channel.state, 'Ringing');
        assert.strictEqual((await next('ChannelStateChange', 'c1')).channel.state, 'Up');
        assert.deepStrictEqual((await next('StasisStart', 'c1')).args, ['a', 'b']);
        assert.strictEqual((await client.channels.get({channelId: 'c1'})).channelvars.TOUCHGATE_OWNER, 'x');
        await client.channels.hangup({channelId: 'c1'});
        assert.strictEqual((await next('ChannelDestroyed', 'c1')).cause, 16);
    },

    async 'refusals have the causes of a real PBX'() {
        for (const [outcome, cause, tech] of [['busy', 17, 486], ['reject', 21, 603], ['do_not_disturb', 19, 480], ['invalid', 1, 404], ['congestion', 34, 503]]) {
            await ask('PUT', '/numbers/555', {outcome});
            await client.channels.originate({endpoint: 'PJSIP/555@trunk', app: 'check', channelId: outcome});
            const end = await next('ChannelDestroyed', outcome);
            assert.deepStrictEqual([end.cause, end.tech_cause], [cause, tech]);
        }
        await ask('PUT', '/numbers/555', {outcome: 'no_answer'});
        await client.channels.originate({endpoint: 'PJSIP/555@trunk', app: 'check', channelId: 'late', timeout: 1});
        const end = await next('ChannelDestroyed', 'late');
        assert.deepStrictEqual([end.cause, end.tech_cause], [19, 480]);
    },

    async 'a caller and an agent are joined, recorded, and parted'() {
        const {channel: caller} = await ask('POST', '/calls', {from: '13900000001', to: '1000', arguments: ['vip']});
        const arrived = await next('StasisStart', caller);
        assert.deepStrictEqual(arrived.args, ['inbound', '1000', 'vip']);
        assert.strictEqual(arrived.channel.caller.number, '13900000001');
        await client.applications.subscribe({applicationName: 'check', eventSource: 'channel:' + caller});
        await client.channels.answer({channelId: caller});
        await client.channels.create({endpoint: 'PJSIP/1001', app: 'check', appArgs: 'agent', channelId: 'agent'});
        await next('StasisStart', 'agent');
        await client.channels.dial({channelId: 'agent', timeout: 15});
        await until('the agent answers', async () => (await client.channels.get({channelId: 'agent'})).state === 'Up');
        const bridge = await client.bridges.create({type: 'mixing', bridgeId: 'b1', name: 'talk'});
        await bridge.addChannel({channel: [caller, 'agent'].join(',')});
        await next('ChannelEnteredBridge', caller);
        await next('ChannelEnteredBridge', 'agent');
        await assert.rejects(client.bridges.removeChannel({bridgeId: 'b1', channel: 'nobody'}), /Channel not found/);
        await bridge.record({name: 'talk', format: 'wav'});
        await ask('POST', `/legs/${encodeURIComponent(caller)}/digits`, {digits: '7'});
        assert.strictEqual((await next('ChannelDtmfReceived', caller)).digit, '7');
        await client.recordings.stop({recordingName: 'talk'});
        await next('RecordingFinished');
        assert.strictEqual((await client.recordings.listStored()).length, 1);
        await ask('POST', `/legs/${encodeURIComponent(caller)}/hangup`);
        await next('ChannelLeftBridge', caller);
        assert.strictEqual((await next('ChannelDestroyed', caller)).cause, 16);
        await client.channels.hangup({channelId: 'agent'});
        await next('ChannelDestroyed', 'agent');
        await bridge.destroy();
        assert.deepStrictEqual(await client.bridges.list(), []);
    },

    async 'sounds are played to their end, and digits can be asked for'() {
        const {channel: caller} = await ask('POST', '/calls', {from: '13900000002', to: '1000', digits_each: '2', digits_after: 'PT0.05S'});
        await next('StasisStart', caller);
        await client.channels.answer({channelId: caller});
        const playback = await client.channels.play({channelId: caller, media: 'sound:menu', playbackId: 'p1'});
        assert.strictEqual(playback.state, 'queued');
        assert.strictEqual((await next('ChannelDtmfReceived', caller)).digit, '2');
        assert.strictEqual((await next('PlaybackFinished')).playback.state, 'done');
        await client.channels.hangup({channelId: caller});
        await next('StasisEnd', caller);
    },

    async 'without a client calls are turned away, and what was there is there again'() {
        const {channel: caller} = await ask('POST', '/calls', {from: '13900000003', to: '1000'});
        await next('StasisStart', caller);
        await ask('POST', '/disconnect', {how: 'reset'});
        const refused = await fetch(control + '/calls', {method: 'POST', body: JSON.stringify({from: '1', to: '1000'})});
        assert.strictEqual(refused.status, 409);
        await until('the client is back', async () => (await fetch(control + '/calls', {method: 'POST', body: JSON.stringify({from: '2', to: '1000'})})).status === 202);
        assert((await client.applications.get({applicationName: 'check'})).channel_ids.includes(caller));
        await ask('POST', '/restart', {for: 'PT0.1S'});
        // Asked without the client: a request of its that meets a refused connection is never answered.
        await until('it is back, and empty', async () => {
            try {
                const answer = await fetch(pbx + '/ari/channels', {headers: {authorization: 'Basic ' + Buffer.from('client:secret').toString('base64')}});
                return answer.ok && (await answer.json()).length === 0;
            } catch {
                return false;
            }
        });
    },
};

runChecks(checks, {before: async () => { if (!client) await start(); seen = []; }});
