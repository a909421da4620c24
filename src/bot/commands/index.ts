import type { RESTPostAPIApplicationCommandsJSONBody as CommandJson } from "discord.js";
import type { Limits } from "../requests/request.js";
import { localizedCommand, localizedMenu } from "../words/translations.js";
import { admin } from "./admin.js";
import { batch } from "./batch.js";
import type { Command } from "./command.js";
import { compare } from "./compare.js";
import { grid } from "./grid.js";
import { help } from "./help.js";
import { history } from "./history.js";
import { info } from "./info.js";
import { messageMenus } from "./message-menus.js";
import { mydata } from "./mydata.js";
import { optimize } from "./optimize.js";
import { queue } from "./queue.js";
import { settings } from "./settings.js";
import { show } from "./show.js";
import { stats } from "./stats.js";
import { style } from "./style.js";
import { taste } from "./taste.js";

export { readMenu } from "./message-menus.js";

/** All slash commands, by name. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>(
  Object.entries({
    optimize,
    compare,
    batch,
    grid,
    stats,
    taste,
    style,
    settings,
    admin,
    queue,
    history,
    info,
    show,
    mydata,
    help,
  }),
);

/** All slash commands and message menus as Discord is told of them, in every language. */
export const commandDefinitions = (limits: Limits): CommandJson[] => [
  ...[...COMMANDS.values()].map(({ definition }) => localizedCommand(definition(limits))),
  ...messageMenus.map(localizedMenu),
];
