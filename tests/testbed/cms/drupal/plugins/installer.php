<?php
/** STAND-IN for composer/installers: where Drupal's packages go. */

namespace Testbed;

use Composer\Installer\LibraryInstaller;
use Composer\Package\PackageInterface;

class DrupalInstaller extends LibraryInstaller {
	public function supports( string $type ) {
		return 0 === strpos( $type, 'drupal-' );
	}

	public function getInstallPath( PackageInterface $package ) {
		foreach ( $this->composer->getPackage()->getExtra()['installer-paths'] ?? array() as $path => $types ) {
			if ( in_array( 'type:' . $package->getType(), $types, true ) ) {
				return str_replace( '{$name}', substr( strrchr( $package->getName(), '/' ), 1 ), $path );
			}
		}
		return parent::getInstallPath( $package );
	}
}
