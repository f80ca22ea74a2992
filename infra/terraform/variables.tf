variable "bucket" {
  description = "Name of the bucket, which is for one store or several, and for nothing else."
  type        = string
}

variable "region" {
  description = "Region of the bucket; AWS_DEFAULT_REGION of the deployment."
  type        = string
}

variable "prefix" {
  description = "Of the store in the bucket: COUNTERPOINT_STORE is s3://BUCKET/PREFIX. Without a slash at its end; empty for none."
  type        = string
  default     = "store"

  validation {
    condition     = can(regex("^([A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*)?$", var.prefix))
    error_message = "A prefix is names between slashes, without one at its beginning or end."
  }
}

variable "writers" {
  description = "ARNs of who may take the role that writes: what flows and Dask workers run as."
  type        = list(string)
}

variable "readers" {
  description = "ARNs of who may take the role that reads reports."
  type        = list(string)
}

variable "kms_key" {
  description = "ARN of a key of yours to encrypt with, whose policy lets both roles use it; null for the key of S3."
  type        = string
  default     = null
}

variable "days_of_checkpoints" {
  description = "A trial under way leaves a checkpoint every half minute: what is older than so many days is of none."
  type        = number
  default     = 14

  validation {
    condition     = var.days_of_checkpoints >= 2
    error_message = "At least 2: what is younger than a day may be in use."
  }
}

variable "days_of_deleted" {
  description = "So many days what was deleted can be had back."
  type        = number
  default     = 90
}
