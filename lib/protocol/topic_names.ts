/** Prefix of the topic that a group's failed messages come back through (`MixAll.RETRY_GROUP_TOPIC_PREFIX`). */
export const RETRY_PREFIX = "%RETRY%";
/** Prefix of the topic that a group's given-up messages end in (`MixAll.DLQ_GROUP_TOPIC_PREFIX`). */
export const DLQ_PREFIX = "%DLQ%";
/** Where delayed messages wait, queue id = level − 1 (`TopicValidator.RMQ_SYS_SCHEDULE_TOPIC`). */
export const SCHEDULE_TOPIC = "SCHEDULE_TOPIC_XXXX";
/** Where timer messages wait until they are put on the wheel (`TimerMessageStore.TIMER_TOPIC`). */
export const TIMER_TOPIC = "rmq_sys_wheel_timer";
/** Where messages of open transactions wait (`TopicValidator.RMQ_SYS_TRANS_HALF_TOPIC`). */
export const HALF_TOPIC = "RMQ_SYS_TRANS_HALF_TOPIC";
/** Says which of them have ended (`TopicValidator.RMQ_SYS_TRANS_OP_HALF_TOPIC`). */
export const OP_TOPIC = "RMQ_SYS_TRANS_OP_HALF_TOPIC";
/** Where transactions end that were checked too often (`TopicValidator.RMQ_SYS_TRANS_CHECK_MAX_TIME_TOPIC`). */
export const CHECK_MAX_TOPIC = "TRANS_CHECK_MAX_TIME_TOPIC";
/** Topics are created in its image on the first send (`TopicValidator.AUTO_CREATE_TOPIC_KEY_TOPIC`). */
export const AUTO_CREATE_TOPIC = "TBW102";
/** Topics that start like this count as system topics (`TopicValidator.SYSTEM_TOPIC_PREFIX`). */
export const SYSTEM_TOPIC_PREFIX = "rmq_sys_";
