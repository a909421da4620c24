create index votes_by_time on votes (voted_at, job_id, user_id);
