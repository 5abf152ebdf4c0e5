"""Sizes and counts that AWS or the design fixes. Sources: the service quotas of AWS, docs/architecture.md."""

KIB = 1024
MIB = 1024 * KIB

SQS_BATCH_ITEMS = 10
"""Messages in one SendMessageBatch or DeleteMessageBatch."""
SQS_BATCH_BYTES = 1 * MIB
"""Bytes of one message, and of one whole batch."""
SQS_RECEIVES_MAX = 10
"""Deliveries after which a queue puts a message aside (the redrive policy of our queues)."""
SQS_DELAY_MAX_S = 900
"""Longest DelaySeconds of a message."""
SQS_VISIBILITY_MAX_S = 43_200
"""Longest visibility timeout."""
DYNAMODB_ITEM_BYTES = 400 * KIB
DYNAMODB_BATCH_WRITE_ITEMS = 25
DYNAMODB_BATCH_GET_ITEMS = 100
STEP_FUNCTIONS_PAYLOAD_BYTES = 256 * KIB
LAMBDA_TIMEOUT_MAX_S = 900
LAMBDA_MEMORY_MAX_MIB = 10_240
LAMBDA_MIB_PER_VCPU = 1_769

MESSAGE_INLINE_BYTES = 48 * KIB
"""Inputs up to this size travel in the message: with its envelope it stays one billed 64 KB request."""
RECORD_INLINE_BYTES = 8 * KIB
"""Values up to this size are kept in records and journals; larger ones are cheaper as an S3 object."""
TRACE_GROUP_BYTES = 128 * KIB
"""Traces that are written together are one item of the journal, of up to this size: far below an item's."""
TRACE_GROUP_ITEMS = 100
CACHE_HIT_INPUT_BYTES = KIB
"""Inputs up to this size are kept in the journal with a result from the cache, for people to look at."""
ERROR_TEXT_BYTES = 4 * KIB
"""A message or traceback of an error is cut to this size before it is recorded."""
TRAVELLING_BYTES = 8 * KIB
"""Custom context, environment variables, labels, each: the first two are in every message and record."""
GROUP_BYTES = 512
"""The name of a group is in its actions' messages and records."""
NAME_CHARS = 128
"""The name of an environment, or of a function; a journal entry names a hundred of them."""
ERROR_CODE_CHARS = 256
"""The class name of an exception, as Step Functions takes it."""
MAX_INLINE_IO_BYTES = 10 * MIB
"""Default of max_inline_io: the largest input passed by value."""
ACTION_SHARDS = 16
"""Partitions that the action records of one run spread over."""
SMALL_RUN = 500
"""Runs of up to so many actions are read as a whole; larger ones are told by aggregates and journals."""
JOURNAL_SHARD_ENTRIES = 250
"""Children per journal shard; the next child opens the next shard."""
PLACES_MAX = 1000
"""Largest max_concurrency: who looks for a place reads those of its limit."""
LOG_LINE_CHARS = 16 * KIB
"""A line that a task prints or logs is cut to so many characters."""
LOG_BURST_LINES, LOG_BURST_BYTES = 10_000, 8 * MIB
"""What an attempt may print at once."""
LOG_LINES_PER_S, LOG_BYTES_PER_S = 20, 64 * KIB
"""What it may print for as long as it goes on, so that its latest lines are there, too."""
