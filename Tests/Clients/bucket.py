"""An S3 service that checks signatures: moto in a process of its own, with one user, one key and one bucket.

Run as a program it prints what a client needs to know and serves until its input ends.
"""
import json
import os
import subprocess
import sys

# So many calls are let through unsigned: those that make the user, his key and the bucket.
SETUP_CALLS = 4
BUCKET = "infinity-files"


class Bucket:
    """The service as a child process; `settings` are what Infinity needs to use it."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        told = json.loads(self.process.stdout.readline())
        self.endpoint, self.access, self.secret = told["endpoint"], told["access"], told["secret"]

    @property
    def settings(self):
        return {
            "INFINITY_STORAGE": "s3", "INFINITY_S3_ENDPOINT": self.endpoint, "INFINITY_S3_BUCKET": BUCKET,
            "INFINITY_S3_REGION": "eu-central-1", "INFINITY_S3_ACCESS_KEY": self.access, "INFINITY_S3_SECRET_KEY": self.secret}

    def client(self):
        import boto3
        return boto3.client("s3", endpoint_url=self.endpoint, region_name="eu-central-1",
                            aws_access_key_id=self.access, aws_secret_access_key=self.secret)

    def keys(self):
        """The names of all objects."""
        return [item["Key"] for item in self.client().list_objects_v2(Bucket=BUCKET).get("Contents", [])]

    def stop(self):
        self.process.stdin.close()
        self.process.wait(10)


def serve():
    os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = str(SETUP_CALLS)
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    endpoint = "http://127.0.0.1:%d" % server.get_host_and_port()[1]
    setup = dict(endpoint_url=endpoint, region_name="eu-central-1", aws_access_key_id="setup", aws_secret_access_key="setup")
    iam = boto3.client("iam", **setup)
    iam.create_user(UserName="infinity")
    key = iam.create_access_key(UserName="infinity")["AccessKey"]
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    iam.put_user_policy(UserName="infinity", PolicyName="files", PolicyDocument=json.dumps(everything))
    boto3.client("s3", **setup).create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    print(json.dumps({"endpoint": endpoint, "access": key["AccessKeyId"], "secret": key["SecretAccessKey"]}), flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    serve()
