// Runs named checks one after the other, prints one line each, and ends the process.
'use strict';

async function until(what, condition, seconds = 10) {
    const end = performance.now() + seconds * 1000;
    for (;;) {
        if (await condition()) return;
        if (performance.now() > end) throw new Error('waited in vain: ' + what);
        await new Promise((resolve) => setTimeout(resolve, 10));
    }
}

// `before` runs ahead of each check, `after` once at the end, also when checks failed.
async function runChecks(checks, {before = async () => {}, after = async () => {}} = {}) {
    let failures = 0;
    for (const [name, check] of Object.entries(checks)) {
        const start = performance.now();
        try {
            await before();
            await check();
            console.log(`ok    ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
        } catch (fault) {
            ++failures;
            console.log('FAIL  ' + name + '\n' + fault.stack);
        }
    }
    await after();
    console.log(`${Object.keys(checks).length - failures} of ${Object.keys(checks).length} checks passed`);
    process.exit(failures === 0 ? 0 : 1);
}

module.exports = {until, runChecks};
