<?php
/** STAND-IN for vlucas/phpdotenv: reads a file of variables, in single, double or no quotes, into the environment. */

namespace Dotenv;

class Dotenv {
	private $values = array();
	private $folder;
	private $files;

	public static function createUnsafeImmutable( string $folder, $files = array( '.env' ), bool $first = true ) {
		$one         = new self();
		$one->folder = $folder;
		$one->files  = (array) $files;
		return $one;
	}

	public function load() {
		foreach ( $this->files as $file ) {
			foreach ( file( "$this->folder/$file", FILE_IGNORE_NEW_LINES ) as $line ) {
				if ( ! preg_match( '/^\s*([A-Z0-9_]+)\s*=\s*(?:\'([^\']*)\'|"((?:[^"\\\\]|\\\\.)*)"|([^#]*))/', $line, $found, PREG_UNMATCHED_AS_NULL ) ) {
					continue;
				}
				$value = $found[2] ?? ( isset( $found[3] ) ? stripslashes( $found[3] ) : trim( (string) ( $found[4] ?? '' ) ) );
				if ( false === getenv( $found[1] ) ) {
					putenv( "$found[1]=$value" );
					$_ENV[ $found[1] ] = $value;
				}
				$this->values[ $found[1] ] = $value;
			}
		}
		return $this->values;
	}

	public function required( array $names ) {
		foreach ( $names as $name ) {
			if ( false === getenv( $name ) ) {
				throw new \RuntimeException( "One or more environment variables failed assertions: $name is missing." );
			}
		}
	}
}
