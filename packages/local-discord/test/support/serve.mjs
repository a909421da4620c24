// A local Discord in a process of its own, which prints its address and token as one line of JSON.
import { startLocalDiscord } from "local-discord";

const { url, token, applicationId, parts } = await startLocalDiscord({ limits: { globalPerSecond: 0 } });
const channelId = [...parts.state.channels.values()].find((it) => it.name === "general").id;
process.stdout.write(`${JSON.stringify({ url, token, applicationId, channelId })}\n`);
