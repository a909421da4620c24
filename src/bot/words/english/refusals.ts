import { number } from "./parts.js";

/** Private answers to a press or a command that can't be carried out. */
export const refusals = {
  notYours: "Only the person who asked for this, or a moderator, can do this.",
  notYoursToChange:
    "Only the person who asked for this can do this here. Use the command yourself to draw your own.",
  elsewhere: "This belongs to another channel.",
  role: "You need a certain role to do this here. Ask an admin of this server.",
  noBallot: "There is no vote on these pictures.",
  noVotes: "Nobody has voted yet. Ask for a pair with `/compare blind:True`.",
  stillOpen: "This is not finished yet. `/queue` shows where it is.",
  secret: "This is a blind vote, so you will see this once the vote is over.",
  notYourDraft: "Only the person who asked for it can start it.",
  noPart: (parts: number) =>
    parts === 0
      ? "The pictures are no longer on the bot's disk, so there is no zip of them."
      : `There ${parts === 1 ? "is 1 zip" : `are ${number(parts)} zips`} of these pictures here.`,
  noEvaluation: "Only a finished batch whose pictures have scores can be evaluated.",
  nothingToChange: "There is no other rewrite of this.",
  nothingToEnlarge: "These pictures are gone, or as large as they can become here.",
  nothingLeft: "No prompt of this batch is waiting any more.",
  notFinished: "This is not finished. Cancel it first.",
  alreadyFinished: "This is already finished.",
  unknownJob: "There is no such job here. It may have been deleted.",
  unknownButton: "This button belongs to another version of the bot. Use the command again.",
  unknownCommand: "This command belongs to another version of the bot. Reload Discord and try again.",
  repeated: "You sent this twice within a second, so it runs only once.",
  stopping: "The bot is about to restart. Please try again in a minute.",
  interrupted: "The bot stopped before it could store this command. Please use it again.",
} as const;
