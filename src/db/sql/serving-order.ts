/**
 * The waiting jobs of `@phase` at the time `@now`, as (seq, id, position). Position 1 is served next. Every
 * position that is shown comes from this statement.
 *
 * Users take turns in a ring: the first waiting job of each user comes before anybody's second one. Between
 * users, the one with fewer running jobs goes first, then the one whose last turn is longest ago. A turn ends
 * when a job leaves the running state, so a batch that yields after an item waits behind the other users'
 * first jobs and, being older, before its own user's later ones. Jobs in their back-off time come last and
 * take no turn. Held jobs have no position.
 */
export const SERVING_ORDER = `
  with waiting as (
    select seq, id, user_id, not_before,
           row_number() over (partition by user_id, not_before > @now order by seq) as nth
    from jobs where state = 'queued' and phase = @phase and held is null
  ), working as (
    select user_id, count(*) as running from jobs where state = 'running' and phase = @phase group by user_id
  )
  select waiting.seq as seq,
         id,
         row_number() over (
           order by /*sqlite max*//*postgres greatest*/(not_before, @now), nth, coalesce(running, 0), coalesce(turn, 0), waiting.seq
         ) as position
  from waiting
  left join turns on turns.user_id = waiting.user_id and turns.phase = @phase
  left join working on working.user_id = waiting.user_id
`;

/** A job of the user in `turns` that waits and is due. */
const DUE = `
  from jobs where state = 'queued' and jobs.phase = @phase and held is null and jobs.user_id = turns.user_id
    and not_before <= @now`;

/** Of `DUE`, those of the model sets in `@sets`, a list in JSON. */
const DUE_OF_SETS = `${DUE}
    and model_set in (select /*sqlite value from json_each(@sets)*//*postgres json_array_elements_text(@sets)*/)`;

/**
 * The model sets of the waiting jobs of `@phase`. Each is found by one look into the index, so that the number of
 * jobs does not matter.
 */
export const WAITING_SETS = `
  with recursive sets (name) as (
    select min(model_set) from jobs where state = 'queued' and held is null and phase = @phase
    union all
    select (select min(model_set) from jobs
      where state = 'queued' and held is null and phase = @phase and model_set > sets.name)
    from sets where name is not null
  )
  select name from sets where name is not null
`;

/**
 * The job that is served next, the first row of SERVING_ORDER if it is due: the first due job of the first user in the
 * ring who has one and for whom nothing runs. Everybody who waits is in the ring. It looks at one user
 * after the other until one is found, so the number of waiting jobs does not matter.
 */
const nextInRing = (due: string) => `
  select (select min(seq) ${due}) as seq
  from turns
  where turns.phase = @phase and exists (select 1 ${due}) and not exists (
    select 1 from jobs where state = 'running' and jobs.phase = @phase and jobs.user_id = turns.user_id
  )
  order by turn
  limit 1
`;
export const NEXT_IN_RING = nextInRing(DUE);
/** The same of the model sets in `@sets`. */
export const NEXT_OF_SETS = nextInRing(DUE_OF_SETS);

/** The same where something runs for everybody who waits: of the user with the fewest running jobs. */
const nextOfBusy = (due: string) => `
  with working as (
    select user_id, count(*) as running from jobs where state = 'running' and phase = @phase group by user_id
  )
  select (select min(seq) ${due}) as seq
  from turns left join working on working.user_id = turns.user_id
  where turns.phase = @phase and exists (select 1 ${due})
  order by coalesce(running, 0), turn
  limit 1
`;
export const NEXT_OF_BUSY = nextOfBusy(DUE);
/** The same of the model sets in `@sets`. */
export const NEXT_OF_BUSY_SETS = nextOfBusy(DUE_OF_SETS);
