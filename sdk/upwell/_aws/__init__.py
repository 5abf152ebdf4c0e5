"""Adapters for AWS: DynamoDB, SQS, S3, Step Functions. The only place that knows boto3's errors."""
